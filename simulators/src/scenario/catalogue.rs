//! Known vulnerabilities and the packages that have them. Ids, scores and vectors are real; titles and descriptions are our own.

use crate::dependency_track::{Aliases, Component, Vulnerability};
use crate::random::uuid_of;

/// A package in one version.
pub(super) struct Package {
    pub(super) ecosystem: &'static str,
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Version without the vulnerabilities below.
    pub(super) fixed: &'static str,
    pub(super) vulnerabilities: &'static [Known],
}

/// A vulnerability.
pub(super) struct Known {
    pub(super) id: &'static str,
    pub(super) ghsa: &'static str,
    pub(super) severity: &'static str,
    /// 0.0: not rated.
    pub(super) score: f64,
    vector: &'static str,
    cwe: (u32, &'static str),
    pub(super) title: &'static str,
}

const fn known(
    id: &'static str,
    ghsa: &'static str,
    severity: &'static str,
    score: f64,
    vector: &'static str,
    cwe: (u32, &'static str),
    title: &'static str,
) -> Known {
    Known {
        id,
        ghsa,
        severity,
        score,
        vector,
        cwe,
        title,
    }
}

const OUT_OF_BOUNDS: (u32, &str) = (787, "Out-of-bounds Write");
const RESOURCES: (u32, &str) = (400, "Uncontrolled Resource Consumption");
const INJECTION: (u32, &str) = (94, "Improper Control of Generation of Code");
const DESERIALIZATION: (u32, &str) = (502, "Deserialization of Untrusted Data");
const PROTOTYPE: (u32, &str) = (1321, "Improperly Controlled Modification of Prototype");
const REGEX: (u32, &str) = (1333, "Inefficient Regular Expression Complexity");
const EXPOSURE: (u32, &str) = (200, "Exposure of Sensitive Information");
const NULL: (u32, &str) = (476, "NULL Pointer Dereference");
const VALIDATION: (u32, &str) = (20, "Improper Input Validation");
const REDIRECT: (u32, &str) = (601, "URL Redirection to Untrusted Site");

/// What the image of the web shop holds: seen by both tools.
#[rustfmt::skip]
pub(super) const WEB_IMAGE: &[Package] = &[
    Package {
        ecosystem: "deb",
        group: "debian",
        name: "libssl3",
        version: "3.0.11-1~deb12u1",
        fixed: "3.0.13-1~deb12u1",
        vulnerabilities: &[
            known("CVE-2023-5363", "", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", EXPOSURE, "Key and IV lengths are taken over wrongly"),
            known("CVE-2023-5678", "", "MEDIUM", 5.3, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", RESOURCES, "Checking long X9.42 keys takes very long"),
            known("CVE-2024-0727", "", "MEDIUM", 5.5, "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", NULL, "A malformed PKCS12 file crashes the reader"),
        ],
    },
    Package {
        ecosystem: "deb",
        group: "debian",
        name: "libcurl4",
        version: "7.88.1-10+deb12u1",
        fixed: "7.88.1-10+deb12u4",
        vulnerabilities: &[
            known("CVE-2023-38545", "", "CRITICAL", 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", OUT_OF_BOUNDS, "Heap overflow in the SOCKS5 handshake"),
            known("CVE-2023-38546", "", "LOW", 3.7, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", VALIDATION, "Cookies can be injected through a file name"),
        ],
    },
    Package {
        ecosystem: "deb",
        group: "debian",
        name: "libexpat1",
        version: "2.5.0-1",
        fixed: "2.5.0-1+deb12u1",
        vulnerabilities: &[
            known("CVE-2023-52425", "", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", RESOURCES, "Large tokens are parsed again and again"),
            known("CVE-2024-28757", "", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", (776, "XML Entity Expansion"), "Entities expand without bound in external parsers"),
        ],
    },
    Package {
        ecosystem: "npm",
        group: "",
        name: "lodash",
        version: "4.17.15",
        fixed: "4.17.21",
        vulnerabilities: &[
            known("CVE-2020-8203", "GHSA-p6mc-m468-83gw", "HIGH", 7.4, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H", PROTOTYPE, "Prototype pollution through zipObjectDeep"),
            known("CVE-2021-23337", "GHSA-35jh-r3h4-6jhm", "HIGH", 7.2, "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", INJECTION, "Commands can be injected through template"),
            known("CVE-2020-28500", "GHSA-29mw-wpgm-hmr9", "MEDIUM", 5.3, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", REGEX, "Trimming crafted text takes very long"),
        ],
    },
    Package {
        ecosystem: "npm",
        group: "",
        name: "minimist",
        version: "1.2.5",
        fixed: "1.2.6",
        vulnerabilities: &[known("CVE-2021-44906", "GHSA-xvch-5gv4-984h", "CRITICAL", 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", PROTOTYPE, "Prototype pollution through setKey")],
    },
    Package {
        ecosystem: "npm",
        group: "",
        name: "axios",
        version: "0.21.1",
        fixed: "1.6.0, 0.28.0",
        vulnerabilities: &[
            known("CVE-2021-3749", "GHSA-cph5-m8f7-6c5x", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", REGEX, "Trimming crafted text takes very long"),
            known("CVE-2023-45857", "GHSA-wf5p-g6vw-rhxx", "MEDIUM", 6.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N", EXPOSURE, "The XSRF token is sent to other hosts"),
        ],
    },
    Package {
        ecosystem: "npm",
        group: "",
        name: "express",
        version: "4.17.1",
        fixed: "4.19.2",
        vulnerabilities: &[known("CVE-2024-29041", "GHSA-rv95-896h-c2vc", "MEDIUM", 6.1, "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", REDIRECT, "Malformed URLs redirect to other sites")],
    },
];

/// What the checkout, a Java service, holds.
#[rustfmt::skip]
pub(super) const CHECKOUT: &[Package] = &[
    Package {
        ecosystem: "maven",
        group: "org.apache.logging.log4j",
        name: "log4j-core",
        version: "2.14.1",
        fixed: "2.17.1",
        vulnerabilities: &[
            known("CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q", "CRITICAL", 10.0, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", DESERIALIZATION, "Logged text can load code from elsewhere"),
            known("CVE-2021-45046", "GHSA-7rjr-3q55-vv33", "CRITICAL", 9.0, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", INJECTION, "The first repair leaves some patterns open"),
            known("CVE-2021-45105", "GHSA-p6xc-xr62-6r2g", "MEDIUM", 5.9, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", RESOURCES, "Lookups that refer to themselves never end"),
            known("CVE-2021-44832", "GHSA-8489-44mv-ggj8", "MEDIUM", 6.6, "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:H", VALIDATION, "Whoever writes the configuration can run code"),
        ],
    },
    Package {
        ecosystem: "maven",
        group: "org.springframework",
        name: "spring-beans",
        version: "5.3.17",
        fixed: "5.3.18",
        vulnerabilities: &[known("CVE-2022-22965", "GHSA-36p3-wjmg-h94x", "CRITICAL", 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", INJECTION, "Data binding reaches the class loader")],
    },
    Package {
        ecosystem: "maven",
        group: "com.fasterxml.jackson.core",
        name: "jackson-databind",
        version: "2.9.8",
        fixed: "2.12.6.1",
        vulnerabilities: &[
            known("CVE-2019-12384", "GHSA-mph4-vhrx-mv67", "MEDIUM", 5.9, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N", DESERIALIZATION, "Polymorphic types reach a logging library"),
            known("CVE-2020-36518", "GHSA-57j2-w4cx-62h2", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", OUT_OF_BOUNDS, "Deeply nested JSON exhausts the stack"),
        ],
    },
    Package {
        ecosystem: "maven",
        group: "org.apache.commons",
        name: "commons-text",
        version: "1.9",
        fixed: "1.10.0",
        vulnerabilities: &[known("CVE-2022-42889", "GHSA-599f-7c49-w659", "CRITICAL", 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", INJECTION, "Interpolated text can run scripts")],
    },
    Package {
        ecosystem: "maven",
        group: "org.yaml",
        name: "snakeyaml",
        version: "1.30",
        fixed: "2.0",
        vulnerabilities: &[
            known("CVE-2022-1471", "GHSA-mjmj-j48q-9wg2", "CRITICAL", 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", DESERIALIZATION, "YAML can construct any class"),
            known("CVE-2022-25857", "GHSA-3mc7-4q67-w48m", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", RESOURCES, "Nesting of collections has no limit"),
        ],
    },
];

/// What the payments, a Python service, hold.
#[rustfmt::skip]
pub(super) const PAYMENTS: &[Package] = &[
    Package {
        ecosystem: "pypi",
        group: "",
        name: "urllib3",
        version: "1.26.4",
        fixed: "1.26.18",
        vulnerabilities: &[
            known("CVE-2021-33503", "GHSA-q2q7-5pp4-w6pg", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", REGEX, "URLs with many @ take very long"),
            known("CVE-2023-43804", "GHSA-v845-jxx5-vc9f", "HIGH", 8.1, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N", EXPOSURE, "Cookies follow redirects to other hosts"),
            known("CVE-2023-45803", "GHSA-g4mx-q9vg-27p4", "MEDIUM", 4.2, "CVSS:3.1/AV:A/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:N", EXPOSURE, "Bodies follow redirects that change the method"),
        ],
    },
    Package {
        ecosystem: "pypi",
        group: "",
        name: "requests",
        version: "2.25.1",
        fixed: "2.31.0",
        vulnerabilities: &[known("CVE-2023-32681", "GHSA-j8r2-6x86-q33q", "MEDIUM", 6.1, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N", EXPOSURE, "Proxy credentials leak on redirects")],
    },
    Package {
        ecosystem: "pypi",
        group: "",
        name: "jinja2",
        version: "2.11.2",
        fixed: "3.1.4",
        vulnerabilities: &[
            known("CVE-2020-28493", "GHSA-g3rq-g295-4j3m", "MEDIUM", 5.3, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", REGEX, "The urlize filter takes very long"),
            known("CVE-2024-34064", "GHSA-h75v-3vvj-5mfj", "MEDIUM", 5.4, "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", (79, "Cross-site Scripting"), "The xmlattr filter lets attributes through"),
        ],
    },
];

/// What the catalogue search, a Go service, holds.
#[rustfmt::skip]
pub(super) const SEARCH: &[Package] = &[
    Package {
        ecosystem: "golang",
        group: "golang.org/x",
        name: "net",
        version: "v0.7.0",
        fixed: "v0.17.0",
        vulnerabilities: &[
            known("CVE-2023-39325", "GHSA-4374-p667-p6c8", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", RESOURCES, "Reset HTTP/2 requests pile up"),
            known("CVE-2023-44487", "GHSA-qppj-fm5r-hxr3", "HIGH", 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", RESOURCES, "HTTP/2 rapid reset"),
        ],
    },
    Package {
        ecosystem: "golang",
        group: "golang.org/x",
        name: "crypto",
        version: "v0.6.0",
        fixed: "v0.17.0",
        vulnerabilities: &[known("CVE-2023-48795", "GHSA-45x7-px36-x8w8", "MEDIUM", 5.9, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N", (354, "Improper Validation of Integrity Check Value"), "The SSH handshake can be cut at its beginning")],
    },
    Package {
        ecosystem: "golang",
        group: "google.golang.org",
        name: "grpc",
        version: "v1.50.0",
        fixed: "v1.56.3",
        vulnerabilities: &[known("GHSA-m425-mq94-257g", "", "UNASSIGNED", 0.0, "", RESOURCES, "Reset streams pile up")],
    },
];

impl Package {
    /// The package as a component of a project, with a UUID of its own.
    pub(super) fn component(&self, project: &str) -> Component {
        let namespace = match self.group {
            "" => String::new(),
            group => format!("{group}/"),
        };
        let qualifiers = match self.ecosystem {
            "deb" => "?arch=amd64&distro=debian-12",
            "maven" => "?type=jar",
            _ => "",
        };
        let purl = format!(
            "pkg:{}/{namespace}{}@{}{qualifiers}",
            self.ecosystem,
            self.name,
            self.version.replace('+', "%2B"),
        );
        Component {
            uuid: uuid_of(&format!("{project} {purl}")),
            // Only these two ecosystems have groups; BOM tools leave the rest in the name or the purl.
            group: Some(self.group.to_owned())
                .filter(|group| matches!(self.ecosystem, "maven" | "npm") && !group.is_empty()),
            name: match self.ecosystem {
                "golang" => format!("{namespace}{}", self.name),
                _ => self.name.to_owned(),
            },
            version: Some(self.version.to_owned()),
            purl: Some(purl),
            cpe: None,
            latest_version: None,
        }
    }
}

impl Known {
    /// As the National Vulnerability Database has it; what is no CVE, as GitHub has it.
    pub(super) fn by_nvd(&self) -> Vulnerability {
        let source = match self.id.starts_with("CVE-") {
            true => "NVD",
            false => "GITHUB",
        };
        self.vulnerability(source, self.id)
    }

    /// As GitHub's advisories have it; none if they do not.
    pub(super) fn by_github(&self) -> Option<Vulnerability> {
        (!self.ghsa.is_empty()).then(|| self.vulnerability("GITHUB", self.ghsa))
    }

    fn vulnerability(&self, source: &str, id: &str) -> Vulnerability {
        let aliases = Aliases {
            cve_id: Some(self.id.to_owned()),
            ghsa_id: Some(self.ghsa.to_owned()),
            ..Aliases::default()
        };
        let reference = match source {
            "NVD" => format!("https://nvd.nist.gov/vuln/detail/{id}"),
            _ => format!("https://github.com/advisories/{id}"),
        };
        let rated = self.score > 0.0;
        Vulnerability {
            uuid: uuid_of(&format!("{source} {id}")),
            source: source.to_owned(),
            id: id.to_owned(),
            title: Some(self.title.to_owned()),
            description: Some(format!("{}. See the advisory for details.", self.title)),
            recommendation: None,
            references: vec![reference],
            severity: self.severity.to_owned(),
            cvss3_vector: rated.then(|| self.vector.to_owned()),
            cvss3_score: rated.then_some(self.score),
            cvss4_vector: None,
            cvss4_score: None,
            epss: rated.then_some((self.score / 20.0, self.score / 10.0)),
            cwes: vec![(self.cwe.0, self.cwe.1.to_owned())],
            aliases: match self.ghsa.is_empty() {
                true => Vec::new(),
                false => vec![aliases],
            },
            published: Some(1_700_000_000_000),
            known_exploited: matches!(self.id, "CVE-2021-44228" | "CVE-2023-44487"),
        }
    }
}
