//! The queries of requests.

use url::form_urlencoded::Serializer;

/// A parameter of a request.
pub(super) type Parameter = (&'static str, String);

/// The query of a first page. It is made anew for every list: a cursor in it would be that of another.
pub(super) fn first_query(version: &str, limit: u32, filters: &[Parameter]) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("version", version);
    query.append_pair("limit", &limit.to_string());
    for (name, value) in filters {
        query.append_pair(name, value);
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_part_of_the_first_query() {
        let filters = [("status", "open,resolved".to_owned())];
        assert_eq!(
            first_query("2024-10-15", 100, &filters),
            "version=2024-10-15&limit=100&status=open%2Cresolved"
        );
    }
}
