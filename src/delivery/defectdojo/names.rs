//! Under which names a group's findings stand in DefectDojo.

use serde::{Deserialize, Serialize};

use super::group::Group;
use crate::config::{Forward, Placeholder};

/// Limits of its columns, in characters.
const PRODUCT: usize = 255;
const ENGAGEMENT: usize = 300;
const TITLE: usize = 255;

/// Hexadecimal digits of what stands for a name's cut off rest.
const DIGEST: usize = 8;

/// The names of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Names {
    pub(super) product: String,
    pub(super) engagement: String,
    pub(super) title: String,
}

impl Names {
    /// What the forward's templates make of a group, made unique by what they leave out.
    pub(super) fn of(forward: &Forward, group: &Group) -> Self {
        let value = |place: Placeholder| match place {
            Placeholder::Product => Some(group.product.as_str()),
            Placeholder::ApiConfiguration => Some(group.api_configuration.as_str()),
            Placeholder::Branch => group.branch.as_deref(),
            Placeholder::Service => group.service.as_deref(),
        };
        let templates = [&forward.product, &forward.engagement, &forward.test_title];
        let [product, engagement, title] = templates.map(|template| template.render(value));
        let left_out = [
            ("product", Placeholder::Product),
            ("from", Placeholder::ApiConfiguration),
            ("branch", Placeholder::Branch),
            ("service", Placeholder::Service),
        ];
        let added: Vec<_> = left_out
            .into_iter()
            .filter(|(_, place)| !templates.iter().any(|template| template.has(*place)))
            .filter_map(|(word, place)| Some(format!("{word} {}", value(place)?)))
            .collect();
        let title = proper(&title, &group.api_configuration);
        let title = match added.is_empty() {
            true => title,
            false => format!("{title} ({})", added.join(", ")),
        };
        Self {
            product: fitting(proper(&product, &group.product), PRODUCT),
            engagement: fitting(proper(&engagement, "secpull"), ENGAGEMENT),
            title: fitting(title, TITLE),
        }
    }

    /// The same with another title, of its own for this text.
    pub(super) fn told_apart_by(&self, text: &str) -> Self {
        let title = format!("{} [{}]", self.title, digest(text));
        Self {
            title: fitting(title, TITLE),
            ..self.clone()
        }
    }

    /// Of the n-th test, from 0, of a group that is too large for one.
    pub(super) fn of_part(&self, part: usize) -> Self {
        let title = match part {
            0 => self.title.clone(),
            _ => fitting(format!("{} (part {})", self.title, part + 1), TITLE),
        };
        Self {
            title,
            ..self.clone()
        }
    }

    /// One text for these names in this instance.
    pub(super) fn key(&self, location: &str) -> String {
        let Self {
            product,
            engagement,
            title,
        } = self;
        serde_json::json!([location, product, engagement, title]).to_string()
    }
}

/// On one line, without NUL and white space around it, as DefectDojo keeps it; `otherwise` if nothing is left.
fn proper(name: &str, otherwise: &str) -> String {
    let line = |name: &str| {
        let name = name.replace(|c: char| c.is_control(), " ");
        name.trim().to_owned()
    };
    match line(name) {
        empty if empty.is_empty() => line(otherwise),
        name => name,
    }
}

/// Cut where it is too long, and still another for each.
fn fitting(name: String, longest: usize) -> String {
    if name.chars().count() <= longest {
        return name;
    }
    let start: String = name.chars().take(longest - DIGEST - 1).collect();
    format!("{start}~{}", digest(&name))
}

/// A few characters that stand for a text.
pub(super) fn digest(text: &str) -> String {
    let mut digest = blake3::hash(text.as_bytes()).to_hex().to_string();
    digest.truncate(DIGEST);
    digest
}
