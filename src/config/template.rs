//! Texts with places to be filled in: `{product}`.

use super::wrong::{Wrong, quoted};

/// What stands in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The finding's product.
    Product,
    /// Name of the API configuration.
    ApiConfiguration,
    /// The finding's branch.
    Branch,
    /// The finding's service.
    Service,
}

impl Placeholder {
    const ALL: [Self; 4] = [
        Self::Product,
        Self::ApiConfiguration,
        Self::Branch,
        Self::Service,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::ApiConfiguration => "api_configuration",
            Self::Branch => "branch",
            Self::Service => "service",
        }
    }
}

pub(super) const ALLOWED: &str = "text with the placeholders {product}, {api_configuration}, {branch} and {service}; a brace itself is written twice";

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(Placeholder),
}

impl Template {
    /// Reads it.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.trim();
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let Some((name, after)) = after.split_once('}').filter(|_| brace == "{") else {
                return Wrong::so(format!("{} has a brace without its other", quoted(text)));
            };
            let place = Placeholder::ALL.into_iter().find(|p| p.as_str() == name);
            let Some(place) = place else {
                return Wrong::so(format!(
                    "{} is no placeholder",
                    quoted(&format!("{{{name}}}"))
                ));
            };
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Place(place));
            rest = after;
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Self(pieces))
    }

    /// With everything filled in; what there is no value for is left out.
    #[must_use]
    pub fn render<'v>(&self, value: impl Fn(Placeholder) -> Option<&'v str>) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Place(place) => value(*place).unwrap_or_default(),
        });
        pieces.collect()
    }

    /// Whether it has this placeholder.
    #[must_use]
    pub fn has(&self, place: Placeholder) -> bool {
        self.0.contains(&Piece::Place(place))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rendered(text: &str) -> String {
        let template = Template::parse(text).unwrap();
        template.render(|place| match place {
            Placeholder::Product => Some("Shop"),
            Placeholder::ApiConfiguration => Some("snyk"),
            Placeholder::Branch => Some("main"),
            Placeholder::Service => None,
        })
    }

    #[test]
    fn placeholders_are_filled_in_and_braces_are_written_twice() {
        assert_eq!(rendered("secpull"), "secpull");
        assert_eq!(
            rendered(" {product}: {api_configuration}@{branch}{service} "),
            "Shop: snyk@main"
        );
        assert_eq!(rendered("{{{product}}}"), "{Shop}");
        let template = Template::parse("{branch}{{service}}").unwrap();
        assert!(template.has(Placeholder::Branch) && !template.has(Placeholder::Service));
    }

    #[test]
    fn what_is_no_template_is_told() {
        let wrong = |text: &str| Template::parse(text).unwrap_err().what;
        assert_eq!(wrong("a {prodct}"), "\"{prodct}\" is no placeholder");
        assert_eq!(wrong("{}"), "\"{}\" is no placeholder");
        for text in ["{product", "product}", "{{product}"] {
            assert!(
                wrong(text).ends_with("has a brace without its other"),
                "{text}"
            );
        }
    }
}
