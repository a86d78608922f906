//! The keys of `[store]`, `[automatic_import]`, `[import]` and `[control]`.

use std::time::Duration;

use super::{key, toml};
use crate::config::kind::{Default, Key, Kind};

pub(super) const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// See `lease` below.
pub(in crate::config) const LEASE: Duration = Duration::from_secs(30);

pub(super) const STORE_KEYS: &[Key] = &[
    key(
        "url",
        Kind::Store,
        toml("\"sqlite:/var/lib/secpull/secpull.db\""),
        "\"postgres://secpull@db.example.com/secpull?sslmode=verify-full\"",
        "The database: a file of this machine, or a PostgreSQL database that several daemons can share. PostgreSQL's URL \
         takes libpq's parameters `sslmode` (`disable`, `prefer`, `require`, `verify-full`; left out: `verify-full` over the \
         network), `sslrootcert` (trusted beside the system's authorities; see \
         [trust.md](trust.md)), `sslcert`, `sslkey`, `host`, `port`, `user`, `dbname`, `application_name` and \
         `connect_timeout`.",
    ),
    key(
        "password",
        Kind::Secret,
        Default::None,
        "{ credential = \"store\" }",
        "Password for PostgreSQL, unless the server knows the user in another way.",
    ),
    key(
        "lease",
        Kind::Duration {
            min: Duration::from_secs(3),
            max: Duration::from_secs(600),
        },
        Default::Words("30s"),
        "\"1m\"",
        "On PostgreSQL: how long a daemon that hangs or is cut off from the server keeps its imports before another takes \
         them over. One that ends is noticed at once.",
    ),
];

pub(super) const HOUR: Kind = Kind::Integer { min: 0, max: 23 };
pub(super) const MINUTE_OF_HOUR: Kind = Kind::Integer { min: 0, max: 59 };
pub(super) const INTERVAL: Kind = Kind::Duration {
    min: MINUTE,
    max: YEAR,
};

pub(super) const GENERAL_SCHEDULE_KEYS: &[Key] = &[
    key(
        "enabled",
        Kind::Boolean,
        toml("true"),
        "true",
        "`false` switches the schedule off for all API configurations; `secpull run` still works.",
    ),
    key(
        "hour",
        HOUR,
        Default::Words("2"),
        "2",
        "Hour of the daily import, UTC.",
    ),
    key(
        "minute",
        MINUTE_OF_HOUR,
        Default::Words("0"),
        "30",
        "Minute of the daily import.",
    ),
    key(
        "every",
        INTERVAL,
        Default::None,
        "\"6h\"",
        "Imports every so often instead of daily, each API configuration at an offset of its own.",
    ),
    key(
        "cron",
        Kind::Cron,
        Default::None,
        "\"0 */6 * * *\"",
        "Imports at the times of a cron expression instead of daily.",
    ),
    key(
        "max_concurrent",
        Kind::Integer { min: 1, max: 256 },
        toml("4"),
        "8",
        "How many imports may run at the same time.",
    ),
    key(
        "catch_up_within",
        Kind::Duration {
            min: Duration::ZERO,
            max: WEEK,
        },
        toml("\"12h\""),
        "\"12h\"",
        "A slot that was missed while the daemon was down is run at its start if it is not older than this; \"0s\" never.",
    ),
];

pub(super) const IMPORT_KEYS: &[Key] = &[
    key(
        "max_resolved_fraction",
        Kind::Number { min: 0.0, max: 1.0 },
        toml("0.5"),
        "0.3",
        "An import that would resolve more than this share of an API configuration's open findings resolves nothing and is \
         held until `secpull accept NAME`; 1 never holds.",
    ),
    key(
        "min_held",
        Kind::Integer {
            min: 0,
            max: i64::MAX,
        },
        toml("20"),
        "20",
        "Imports that would resolve fewer findings than this are never held.",
    ),
    key(
        "timeout",
        RUN_LIMIT,
        toml("\"6h\""),
        "\"2h\"",
        "How long one import may take; after that it ends as `failed` or `partial` and resolves nothing more.",
    ),
];

pub(super) const RUN_LIMIT: Kind = Kind::Duration {
    min: SECOND,
    max: WEEK,
};

pub(super) const CONTROL_KEYS: &[Key] = &[
    key(
        "socket",
        Kind::AbsolutePath,
        toml("\"/run/secpull/secpull.sock\""),
        "\"/run/secpull/secpull.sock\"",
        "Path of the Unix socket.",
    ),
    key(
        "group",
        Kind::Text,
        Default::Words("the daemon's own group"),
        "\"secpull\"",
        "Group whose members may read and run imports.",
    ),
    key(
        "metrics_listen",
        Kind::Address,
        Default::Words("nothing listens on TCP"),
        "\"127.0.0.1:9464\"",
        "Serves `GET /metrics` and `GET /healthz`, and nothing else, on TCP as well.",
    ),
];
