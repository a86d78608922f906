//! Products, and the engagements and tests that findings belong to them by.

use crate::connectors::Record;
use crate::connectors::lenient::{List, Object, Text, Whole};

/// The tag of tests that secpull has forwarded findings to. They are not read: they would come back as news.
pub(super) const FORWARDED: &str = "secpull";

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) id: u64,
    pub(super) name: String,
    /// Id of its product type.
    pub(super) product_type: Option<u64>,
}

/// An engagement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Engagement {
    pub(super) id: u64,
    pub(super) product: u64,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) id: u64,
    pub(super) engagement: u64,
    /// What was tested, if somebody has said so.
    pub(super) branch: Option<String>,
    /// Whether its findings came from secpull.
    pub(super) is_forwarded: bool,
}

/// What of a product is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of a product.
    Product(u64),
    /// An engagement.
    Engagement(u64),
    /// A test.
    Test(u64),
}

impl Part {
    /// The filter of a list of findings.
    pub(super) fn filter(self) -> (&'static str, u64) {
        match self {
            Self::Product(id) => ("test__engagement__product", id),
            Self::Engagement(id) => ("test__engagement", id),
            Self::Test(id) => ("test", id),
        }
    }

    /// Its name, where it is less than a product.
    pub(super) fn name(self) -> Option<String> {
        match self {
            Self::Product(_) => None,
            Self::Engagement(id) => Some(format!("engagement {id}")),
            Self::Test(id) => Some(format!("test {id}")),
        }
    }
}

/// One row of a list, or an object by itself. What it says of `T` is read leniently; without identity it is an error.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Row<'a> {
    id: Whole,
    #[serde(borrow)]
    name: Text<'a>,
    prod_type: Whole,
    product: Whole,
    engagement: Whole,
    branch_tag: Text<'a>,
    tags: List<Text<'a>>,
}

impl<'a> Row<'a> {
    fn parse(element: &'a [u8], kind: &str) -> Result<(u64, Self), String> {
        let Object(row) = serde_json::from_slice::<Object<Self>>(element)
            .map_err(|error| format!("{kind} cannot be read: {error}"))?;
        let id = number(row.id).ok_or_else(|| format!("{kind} has no id"))?;
        Ok((id, row))
    }
}

/// Ids count from 1.
pub(super) fn number(whole: Whole) -> Option<u64> {
    let number = whole.0.and_then(|number| u64::try_from(number).ok());
    number.filter(|number| *number > 0)
}

impl Product {
    /// Reads an element.
    ///
    /// # Errors
    /// It has no id.
    pub(super) fn parse(element: &[u8]) -> Result<Self, String> {
        let (id, row) = Row::parse(element, "a product")?;
        let name = row.name.as_str().map(|name| name.trim().to_owned());
        Ok(Self {
            id,
            name: name.unwrap_or_else(|| format!("product {id}")),
            product_type: number(row.prod_type),
        })
    }

    pub(super) fn record(&self) -> Record {
        Record {
            id: self.id.to_string(),
            name: self.name.clone(),
            detail: None,
        }
    }
}

/// The product of a name: that of these letters, else the one that differs in capitals only.
pub(super) fn named(products: &[Product], name: &str) -> Result<Product, String> {
    let lower = name.to_lowercase();
    let alike = products
        .iter()
        .filter(|product| product.name.to_lowercase() == lower);
    let alike: Vec<_> = alike.collect();
    let exact = alike.iter().find(|product| product.name == name);
    match (exact, alike.as_slice()) {
        (Some(product), _) | (None, [product]) => Ok((*product).clone()),
        (None, []) => Err(format!(
            "there is no product {name:?}, or the key's user may not see it; nothing is concluded from that"
        )),
        (None, several) => Err(format!(
            "{} products are called {name:?} in other capitals; write the name of one of them",
            several.len()
        )),
    }
}

impl Engagement {
    /// Reads an element.
    ///
    /// # Errors
    /// It has no id, or belongs to no product.
    pub(super) fn parse(element: &[u8]) -> Result<Self, String> {
        let (id, row) = Row::parse(element, "an engagement")?;
        let product = number(row.product);
        let product = product.ok_or_else(|| format!("engagement {id} is of no product"))?;
        Ok(Self { id, product })
    }
}

impl Test {
    /// Reads an element.
    ///
    /// # Errors
    /// It has no id, or belongs to no engagement.
    pub(super) fn parse(element: &[u8]) -> Result<Self, String> {
        let (id, row) = Row::parse(element, "a test")?;
        let engagement = number(row.engagement);
        let engagement = engagement.ok_or_else(|| format!("test {id} is of no engagement"))?;
        let branch = row.branch_tag.as_str().map(|tag| tag.trim().to_owned());
        let mut tags = row.tags.0.iter().filter_map(Text::as_str);
        Ok(Self {
            id,
            engagement,
            branch,
            is_forwarded: tags.any(|tag| tag.trim().eq_ignore_ascii_case(FORWARDED)),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn products_engagements_and_tests_are_read_with_what_is_odd_in_them() {
        let product =
            Product::parse(br#"{"id":1,"name":" Shop ","prod_type":"2","findings_list":[1,2]}"#);
        assert_eq!(
            product,
            Ok(Product {
                id: 1,
                name: "Shop".to_owned(),
                product_type: Some(2)
            })
        );
        let product = Product::parse(br#"{"id":7,"name":null,"prod_type":null}"#).unwrap();
        assert_eq!(
            (product.name.as_str(), product.product_type),
            ("product 7", None)
        );
        let engagement = Engagement::parse(br#"{"id":3,"product":1,"name":[]}"#);
        assert_eq!(engagement, Ok(Engagement { id: 3, product: 1 }));
        for (json, branch, is_forwarded) in [
            (
                r#"{"id":4,"engagement":3,"branch_tag":" main ","tags":["nightly"]}"#,
                Some("main"),
                false,
            ),
            (
                r#"{"id":4,"engagement":3,"branch_tag":"","tags":["a","SecPull"]}"#,
                None,
                true,
            ),
            (
                r#"{"id":4,"engagement":3,"branch_tag":7,"tags":"secpull"}"#,
                None,
                false,
            ),
            (
                r#"{"id":4,"engagement":3,"tags":[null,{"a":1},"secpull "]}"#,
                None,
                true,
            ),
        ] {
            let test = Test::parse(json.as_bytes()).unwrap();
            assert_eq!((test.id, test.engagement), (4, 3));
            assert_eq!(
                (test.branch.as_deref(), test.is_forwarded),
                (branch, is_forwarded),
                "{json}"
            );
        }
    }

    #[test]
    fn what_has_no_identity_or_belongs_nowhere_is_an_error() {
        for json in [
            "null",
            "{}",
            r#"{"id":0}"#,
            r#"{"id":-1}"#,
            r#"{"id":1.5}"#,
            r#"{"id":"x"}"#,
            r#"{"id":1"#,
        ] {
            assert!(Product::parse(json.as_bytes()).is_err(), "{json}");
        }
        assert!(Engagement::parse(br#"{"id":1,"product":null}"#).is_err());
        assert!(Test::parse(br#"{"id":1,"engagement":"x"}"#).is_err());
    }

    #[test]
    fn a_name_is_taken_to_the_letter_and_else_without_regard_to_capitals() {
        let product = |id, name: &str| Product {
            id,
            name: name.to_owned(),
            product_type: None,
        };
        let products = [
            product(1, "Shop"),
            product(2, "Shopping"),
            product(3, "SHOP"),
            product(4, "Web"),
        ];
        let found = |name| named(&products, name).map(|product| product.id);
        assert_eq!(found("Shop"), Ok(1));
        assert_eq!(found("SHOP"), Ok(3));
        assert_eq!(found("web"), Ok(4));
        assert!(found("shop").is_err_and(|reason| reason.contains("2 products")));
        assert!(found("Sho").is_err_and(|reason| reason.contains("there is no product \"Sho\"")));
    }
}
