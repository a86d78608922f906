/// Score and vector of one CVSS version.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cvss {
    /// `CVSS:3.1/…` or `CVSS:4.0/…`.
    pub vector: Option<String>,
    /// Base score, 0.0 to 10.0.
    pub score: Option<f64>,
}
