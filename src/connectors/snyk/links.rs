//! Where the link to the next page leads.
//!
//! Snyk writes it with `/rest`, without, or with the whole address (contract 3). The list is known, so only the link's query is
//! used; the rest of it must agree, or the key would go wherever an answer says.

use url::Url;

/// The query of the next page of a list, as it stands in the link: its cursor must not be written anew. `list` is the list's own
/// address, without a query.
///
/// # Errors
/// The link is none, or leads to another host or to another list.
pub(super) fn next_query(list: &Url, link: &str) -> Result<String, String> {
    let target = list
        .join(link.trim())
        .map_err(|error| format!("the link to the next page is none ({error})"))?;
    let stranger = !target.username().is_empty() || target.password().is_some();
    if target.origin() != list.origin() || stranger {
        return Err(format!(
            "the link to the next page leads to another host, {}, which is not followed because it would get the key",
            target.origin().ascii_serialization()
        ));
    }
    if !inside(list.path()).eq_ignore_ascii_case(inside(target.path())) {
        return Err(format!(
            "the link to the next page leads to another list, {}",
            target.path()
        ));
    }
    match target.query() {
        Some(query) if !query.is_empty() => Ok(query.to_owned()),
        _ => Err("the link to the next page has no cursor".to_owned()),
    }
}

/// The path below the API's root.
fn inside(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    match path.split_once("/rest/") {
        Some((_, inside)) => inside,
        None => path.trim_start_matches('/'),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const QUERY: &str =
        "limit=100&starting_after=v1.eyJpZCI6IjEwMDAifQo%3D&status=open&version=2024-10-15";

    fn next(link: &str) -> Result<String, String> {
        let list = "https://api.eu.snyk.io/rest/orgs/4A18D42F/issues";
        next_query(&list.parse().unwrap(), link)
    }

    #[test]
    fn all_spellings_of_one_link_are_one_query_and_it_is_not_written_anew() {
        for start in [
            "/rest/orgs/4a18d42f/issues",
            "/orgs/4a18d42f/issues",
            "https://api.eu.snyk.io/rest/orgs/4a18d42f/issues",
            "https://api.eu.snyk.io:443/rest/orgs/4a18d42f/issues/",
            "https://api.eu.snyk.io/orgs/4a18d42f/issues",
            "",
        ] {
            assert_eq!(next(&format!("{start}?{QUERY}")).unwrap(), QUERY, "{start}");
        }
        assert_eq!(next("?a=b=").unwrap(), "a=b=");
    }

    #[test]
    fn no_link_leads_the_key_to_another_host() {
        for link in [
            "https://api.snyk.io/rest/orgs/4a18d42f/issues?a=1",
            "http://api.eu.snyk.io/rest/orgs/4a18d42f/issues?a=1",
            "https://api.eu.snyk.io:8443/rest/orgs/4a18d42f/issues?a=1",
            "//evil.example/rest/orgs/4a18d42f/issues?a=1",
            "/\\evil.example/rest/orgs/4a18d42f/issues?a=1",
            "https://api.eu.snyk.io@evil.example/rest/orgs/4a18d42f/issues?a=1",
            "https://me:pw@api.eu.snyk.io/rest/orgs/4a18d42f/issues?a=1",
            "https://api.eu.snyk.io.evil.example/rest/orgs/4a18d42f/issues?a=1",
            "javascript:alert(1)",
        ] {
            let refused = next(link).unwrap_err();
            assert!(refused.contains("another host"), "{link}: {refused}");
        }
    }

    #[test]
    fn another_list_and_no_cursor_are_refused() {
        for link in [
            "/rest/orgs/other/issues?a=1",
            "/rest/orgs/4a18d42f/projects?a=1",
            "/v1/orgs/4a18d42f/issues?a=1",
            "next?a=1",
        ] {
            assert!(next(link).unwrap_err().contains("another list"), "{link}");
        }
        let none = next("/rest/orgs/4a18d42f/issues").unwrap_err();
        assert!(none.contains("no cursor"), "{none}");
    }

    #[test]
    fn the_prefix_of_a_proxy_is_not_in_the_links() {
        let list = "https://proxy.example.com/snyk/rest/orgs/o/issues"
            .parse()
            .unwrap();
        for link in [
            "/rest/orgs/o/issues?a=1",
            "/orgs/o/issues?a=1",
            "/snyk/rest/orgs/o/issues?a=1",
        ] {
            assert_eq!(next_query(&list, link).unwrap(), "a=1", "{link}");
        }
    }
}
