//! The tools that the binary can be, each with its part of the shop.

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;

use secpull_simulators::aws_security_hub::{self, SecurityHub};
use secpull_simulators::burp;
use secpull_simulators::checkmarx_one::{
    self, CheckmarxOne, Project as CheckmarxProject, Results, Scan,
};
use secpull_simulators::defectdojo::{self, DefectDojo};
use secpull_simulators::dependency_track::{self, DependencyTrack, Project, Version};
use secpull_simulators::osv::Osv;
use secpull_simulators::probely;
use secpull_simulators::prometheus::Prometheus;
use secpull_simulators::scenario;
use secpull_simulators::semgrep::{self, Semgrep};
use secpull_simulators::server::Running;
use secpull_simulators::snyk::{self, Snyk};
use secpull_simulators::sonarqube::{self, Edition, SonarQube};
use secpull_simulators::tenable;
use serde_json::{Map, Value};

/// One tool.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The connector's name; for another version of the same tool, with that.
    pub(crate) name: &'static str,
    /// Starts it with so many generated findings beside the shop's.
    pub(crate) start: fn(SocketAddr, u32) -> io::Result<Served>,
}

/// A running tool; stops when dropped.
pub(crate) struct Served {
    pub(crate) url: String,
    /// What a configuration needs beside the URL.
    pub(crate) credentials: Map<String, Value>,
    _simulator: Box<dyn Any>,
}

/// All of them.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: "aws-security-hub",
        start: aws_security_hub,
    },
    Tool {
        name: "burp",
        start: burp,
    },
    Tool {
        name: "checkmarx-one",
        start: checkmarx_one,
    },
    Tool {
        name: "defectdojo",
        start: defectdojo,
    },
    Tool {
        name: "dependency-track",
        start: |address, many| dependency_track(Version::V5_0, address, many),
    },
    Tool {
        name: "dependency-track-4",
        start: |address, many| dependency_track(Version::V4_14, address, many),
    },
    Tool {
        name: "osv",
        start: osv,
    },
    Tool {
        name: "probely",
        start: probely,
    },
    Tool {
        name: "semgrep",
        start: semgrep,
    },
    Tool {
        name: "snyk",
        start: snyk,
    },
    Tool {
        name: "sonarqube",
        start: sonarqube,
    },
    Tool {
        name: "tenable",
        start: tenable,
    },
    Tool {
        name: "trivy-operator-prometheus",
        start: prometheus,
    },
];

fn served<S: Deref<Target = Running> + 'static>(
    simulator: S,
    credentials: &[(&str, &str)],
) -> Served {
    let credentials = credentials
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
    Served {
        url: simulator.url().to_owned(),
        credentials: credentials.collect(),
        _simulator: Box::new(simulator),
    }
}

fn aws_security_hub(address: SocketAddr, many: u32) -> io::Result<Served> {
    let hub = SecurityHub::new()
        .findings(aws_security_hub::samples())
        .findings(aws_security_hub::many(many))
        .aggregator(
            aws_security_hub::REGION,
            "SPECIFIED_REGIONS",
            &["eu-west-1"],
        )
        .listen(address)
        .start_blocking()?;
    let credentials = [
        ("region", aws_security_hub::REGION),
        ("access_key", aws_security_hub::ACCESS_KEY),
        ("secret_key", aws_security_hub::SECRET_KEY),
    ];
    Ok(served(hub, &credentials))
}

fn burp(address: SocketAddr, many: u32) -> io::Result<Served> {
    let burp = burp::shop().many(many.into()).listen(address);
    Ok(served(
        burp.start_blocking()?,
        &[("api_key", burp::API_KEY)],
    ))
}

fn checkmarx_one(address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut checkmarx = CheckmarxOne::new()
        .projects(scenario::checkmarx_shop())
        .listen(address);
    if many > 0 {
        let scan = Scan::new("main", 9, &["sast"]).with(Results::many(many.into(), 1));
        let project = CheckmarxProject::new("generated", "main").with(scan);
        checkmarx = checkmarx.projects([project]);
    }
    let checkmarx = checkmarx.start_blocking()?;
    let iam = checkmarx.iam().url().to_owned();
    let credentials = [
        ("tenant", checkmarx_one::TENANT),
        ("iam_location", iam.as_str()),
        ("api_key", checkmarx_one::API_KEY),
    ];
    Ok(served(checkmarx, &credentials))
}

fn defectdojo(address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut world = defectdojo::shop();
    if many > 0 {
        defectdojo::many(&mut world, many.into());
    }
    let dojo = DefectDojo::new(world).listen(address).start_blocking()?;
    Ok(served(dojo, &[("token", defectdojo::TOKEN)]))
}

fn dependency_track(version: Version, address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut portfolio = DependencyTrack::new(version)
        .projects(scenario::shop())
        .listen(address);
    if many > 0 {
        let many = scenario::many(many.into(), 1);
        portfolio = portfolio.project(Project::new("generated", Some("1.0")).with(many));
    }
    let credentials = [("api_key", dependency_track::API_KEY)];
    Ok(served(portfolio.start_blocking()?, &credentials))
}

fn osv(address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut osv = Osv::new().advisories(scenario::osv_shop()).listen(address);
    if many > 0 {
        osv = osv.many(many.into());
    }
    Ok(served(osv.start_blocking()?, &[]))
}

fn probely(address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut account = probely::shop().listen(address);
    if many > 0 {
        account = account.many(many.into());
    }
    let credentials = [("api_key", probely::API_KEY)];
    Ok(served(account.start_blocking()?, &credentials))
}

fn semgrep(address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut projects = scenario::semgrep_shop();
    if many > 0 {
        projects.push(semgrep::Project::new("generated").with_many(many.into()));
    }
    let semgrep = Semgrep::new().projects(projects).listen(address);
    let credentials = [("api_token", semgrep::API_TOKEN)];
    Ok(served(semgrep.start_blocking()?, &credentials))
}

fn snyk(address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut world = scenario::snyk_shop();
    if many > 0 {
        world.organization("acme").many = Some(scenario::many_issues(many.into(), 1));
    }
    let snyk = Snyk::new(world).listen(address).start_blocking()?;
    let rest = snyk.rest();
    Ok(served(snyk, &[("rest", &rest), ("api_key", snyk::API_KEY)]))
}

fn sonarqube(address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut projects = scenario::sonarqube_shop();
    if many > 0 {
        let issues = sonarqube::Issue::many(many.into(), 1);
        projects.push(sonarqube::Project::new("generated", "Generated").issues(issues));
    }
    let sonarqube = SonarQube::new(Edition::Server("2025.4.3.113915"))
        .projects(projects)
        .listen(address);
    let credentials = [("token", sonarqube::TOKEN)];
    Ok(served(sonarqube.start_blocking()?, &credentials))
}

fn tenable(address: SocketAddr, many: u32) -> io::Result<Served> {
    let mut tenant = tenable::shop().listen(address);
    if many > 0 {
        tenant = tenant.many(many.into());
    }
    let credentials = [
        ("access_key", tenable::ACCESS_KEY),
        ("secret_key", tenable::SECRET_KEY),
    ];
    Ok(served(tenant.start_blocking()?, &credentials))
}

fn prometheus(address: SocketAddr, many: u32) -> io::Result<Served> {
    let prometheus = Prometheus::new()
        .series(scenario::shop_cluster())
        .many(many.into(), 1)
        .listen(address);
    Ok(served(prometheus.start_blocking()?, &[]))
}
