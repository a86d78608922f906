use std::path::PathBuf;

use super::postgres::Database;

/// Where the store of an installation is, and what tests ask it directly.
pub(crate) enum Place {
    /// SQLite's file.
    File(PathBuf),
    /// A database of PostgreSQL's, with which it goes.
    Database(Database),
    /// Its test looks after it: the section `[store]` of the configuration.
    Elsewhere(String),
}

impl Place {
    /// The section `[store]` of the configuration.
    pub(crate) fn section(&self) -> String {
        match self {
            Self::File(path) => format!("url = \"sqlite:{}\"", path.display()),
            Self::Database(database) => format!("url = \"{}\"", database.url()),
            Self::Elsewhere(section) => section.clone(),
        }
    }

    /// Whether there is a store that has got its tables.
    pub(crate) fn has_schema(&self) -> bool {
        match self {
            Self::File(path) => path.exists() && self.schema_version() > 0,
            Self::Database(database) => database.has_tables(),
            Self::Elsewhere(_) => self.is_the_tests(),
        }
    }

    fn schema_version(&self) -> u32 {
        let version = self
            .sqlite()
            .pragma_query_value(None, "user_version", |row| row.get(0));
        version.unwrap()
    }

    /// Has a newer secpull migrate it.
    pub(crate) fn set_schema_version(&self, version: u32) {
        match self {
            Self::File(_) => {
                let set = self.sqlite().pragma_update(None, "user_version", version);
                set.unwrap();
            }
            Self::Database(database) => database.execute(&format!(
                "INSERT INTO secpull_schema (version) VALUES ({version})"
            )),
            Self::Elsewhere(_) => self.is_the_tests(),
        }
    }

    /// What is wrong with what is stored; `ok` if nothing.
    pub(crate) fn integrity(&self) -> Vec<String> {
        match self {
            Self::File(_) => {
                let store = self.sqlite();
                let mut violations = store.prepare("PRAGMA foreign_key_check").unwrap();
                assert!(violations.query([]).unwrap().next().unwrap().is_none());
                let mut check = store.prepare("PRAGMA integrity_check").unwrap();
                let lines = check.query_map([], |row| row.get(0)).unwrap();
                lines.map(Result::unwrap).collect()
            }
            Self::Database(database) => match database.violations() {
                none if none.is_empty() => vec!["ok".to_owned()],
                violations => violations,
            },
            Self::Elsewhere(_) => self.is_the_tests(),
        }
    }

    /// The number that a query answers.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        match self {
            Self::File(_) => self.sqlite().query_row(sql, [], |row| row.get(0)).unwrap(),
            Self::Database(database) => database.number(sql),
            Self::Elsewhere(_) => self.is_the_tests(),
        }
    }

    /// Changes what is stored.
    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Self::File(_) => self.sqlite().execute_batch(sql).unwrap(),
            Self::Database(database) => database.execute(sql),
            Self::Elsewhere(_) => self.is_the_tests(),
        }
    }

    /// Every row of these tables as a text, to see whether anything was written.
    pub(crate) fn rows(&self, tables: &[&str]) -> Vec<String> {
        let rows = |table: &&str| match self {
            Self::File(_) => {
                let store = self.sqlite();
                let mut statement = store.prepare(&format!("SELECT * FROM {table}")).unwrap();
                let columns = statement.column_count();
                let rows = statement.query_map([], |row| {
                    (0..columns)
                        .map(|n| {
                            let value = row.get::<_, rusqlite::types::Value>(n);
                            value.map(|value| format!("{value:?}"))
                        })
                        .collect::<Result<String, _>>()
                });
                rows.unwrap().map(Result::unwrap).collect::<Vec<_>>()
            }
            // The transaction that wrote a row last is kept with it.
            Self::Database(database) => database.texts(&format!(
                "SELECT t.xmin || ' ' || t::text FROM {table} t ORDER BY t.id"
            )),
            Self::Elsewhere(_) => self.is_the_tests(),
        };
        tables.iter().flat_map(rows).collect()
    }

    /// Every row of a store that is no file.
    pub(crate) fn rows_elsewhere(&self) -> Vec<String> {
        match self {
            Self::File(_) => Vec::new(),
            Self::Database(database) => database.everything(),
            Self::Elsewhere(_) => self.is_the_tests(),
        }
    }

    /// SQLite's file.
    pub(crate) fn file(&self) -> &PathBuf {
        match self {
            Self::File(path) => path,
            _ => panic!("this test is about SQLite's file"),
        }
    }

    fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    fn is_the_tests(&self) -> ! {
        panic!("this store is looked after by its test: {}", self.section())
    }
}
