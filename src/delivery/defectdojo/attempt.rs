//! One attempt to bring a group's findings to DefectDojo.
//!
//! An upload is not atomic and goes on at the server when nobody listens any more, and two at a time make two tests. So what
//! is sent is noted before, and where its answer stays away its outcome is looked up, until it is found or cannot come any
//! more; only then it is sent again, which is safe.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::answer::Answer;
use super::api::{Api, Context, SCAN_TYPE, Upload};
use super::gather::{Gathered, Room, gather};
use super::group::Group;
use super::ledger::Ledger;
use super::memory::{Head, Place};
use super::note::{Note, Sent, Stage};
use super::verdict::{LONG, Verdict, of_upload};
use super::words::FirstWords;
use crate::config::Forward;
use crate::delivery::{Desk, DeskError, Outcome};
use crate::export::generic_findings;
use crate::store::{Message, StoreError};

/// `DD_SCAN_FILE_MAX_SIZE`, in bytes.
const LARGEST_FILE: u64 = 100_000_000;

/// How often an outcome is looked for, at most.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// After numbers that do not fit, the same is sent once more.
const AFTER_DOUBT: Duration = Duration::from_secs(3600);

/// After so long the tests that are left get an attempt of their own: other groups have their turn.
const LONG_ENOUGH: Duration = Duration::from_secs(1800);

/// `branch_tag`, in characters.
const BRANCH_TAG: usize = 150;

/// One message on its way.
pub(super) struct Attempt<'a> {
    pub(super) api: &'a Api,
    pub(super) forward: &'a Forward,
    pub(super) room: Room,
    pub(super) message: &'a Message,
    pub(super) desk: &'a Desk<'a>,
    pub(super) group: Group,
    pub(super) place: Place,
    /// What is resolved may be closed.
    pub(super) closes: bool,
    pub(super) begun: Instant,
}

/// What is known of the group's tests, and changes on the way.
struct Known {
    head: Head,
    ledgers: Vec<Ledger>,
    first: Vec<FirstWords>,
}

/// Why an attempt ends before its end.
pub(super) struct Ended(pub(super) Outcome);

impl Ended {
    /// With what had happened before.
    fn after(self, before: &str) -> Self {
        Self(match self.0 {
            Outcome::Later { problem, after } => Outcome::Later {
                problem: format!("{before}; {problem}"),
                after,
            },
            Outcome::Unavailable { problem, after } => Outcome::Unavailable {
                problem: format!("{before}; {problem}"),
                after,
            },
            other => other,
        })
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self(DeskError::from(error).into())
    }
}

impl From<DeskError> for Ended {
    fn from(error: DeskError) -> Self {
        Self(error.into())
    }
}

impl Attempt<'_> {
    pub(super) async fn run(&self) -> Result<(), Ended> {
        let mut known = self.known().await?;
        let mut part = self.settle(&mut known).await?;
        let is_whole = part == 0;
        loop {
            if part >= known.ledgers.len() {
                known.ledgers.push(Ledger::default());
                known.first.push(FirstWords::default());
            }
            let mut gathered = self.gather(&known, part).await?;
            let test = known.head.tests.get(part).copied().flatten();
            if let (false, Some(test)) = (gathered.reworded.is_empty(), test) {
                let first = &mut known.first[part];
                self.learn_words(test, &gathered.reworded, first).await?;
                self.place.keep_first_words(self.desk, part, first).await?;
                gathered = self.gather(&known, part).await?;
            }
            let left = gathered.left;
            self.send(&mut known, part, gathered).await?;
            part += 1;
            if part >= known.ledgers.len() && left == 0 {
                break;
            }
            if self.begun.elapsed() > LONG_ENOUGH {
                return Err(Ended(Outcome::Later {
                    problem: format!("{part} of its tests are done, the next follows"),
                    after: Some(Duration::ZERO),
                }));
            }
        }
        if self.closes && is_whole && known.head.unclosed {
            known.head.unclosed = false;
            self.place.keep_head(self.desk, &known.head).await?;
        }
        Ok(())
    }

    async fn known(&self) -> Result<Known, StoreError> {
        let store = self.desk.store().as_ref();
        let head = self.place.head(store, &self.message.destination).await?;
        let (mut ledgers, mut first) = (Vec::new(), Vec::new());
        for part in 0..head.tests.len() {
            ledgers.push(self.place.ledger(self.desk, part).await?);
            first.push(self.place.first_words(self.desk, part).await?);
        }
        Ok(Known {
            head,
            ledgers,
            first,
        })
    }

    async fn gather(&self, known: &Known, part: usize) -> Result<Gathered, StoreError> {
        gather(
            self.desk.store().as_ref(),
            self.forward,
            &self.group,
            &known.ledgers,
            &known.first[part],
            part,
            self.room,
        )
        .await
    }

    /// Ends what an earlier attempt has begun; the part to go on with.
    async fn settle(&self, known: &mut Known) -> Result<usize, Ended> {
        let note = self.message.note.as_deref().and_then(Note::parse);
        let Some(note) = note else {
            return Ok(0);
        };
        // What stands in the store now may be other than what the parts before have got.
        let is_same = note.revision == self.message.revision && note.part <= known.ledgers.len();
        let go_on = if is_same { note.part } else { 0 };
        let Some(sent) = note.sent else {
            return Ok(go_on);
        };
        let Some(test) = self.outcome_of(&sent).await? else {
            return Ok(go_on);
        };
        let is_here = sent.names == self.place.names.of_part(note.part);
        if !is_here || note.part >= known.ledgers.len() {
            return Ok(0);
        }
        tracing::info!(
            destination = self.message.destination,
            test,
            "DefectDojo has what was sent, although its answer did not come"
        );
        let sent = Sent {
            test: Some(test),
            ..sent
        };
        self.conclude(known, note.part, sent).await?;
        Ok(if is_same { note.part + 1 } else { 0 })
    }

    async fn send(&self, known: &mut Known, part: usize, gathered: Gathered) -> Result<(), Ended> {
        let before = &known.ledgers[part];
        let known_test = known.head.tests.get(part).copied().flatten();
        let dropped = before.dropped(&gathered.lines);
        if gathered.file.findings == 0 && known_test.is_none() {
            return Ok(());
        }
        if known.head.tests.len() <= part {
            known.head.tests.resize(part + 1, None);
        }
        known.head.unclosed |= dropped;
        known.ledgers[part] = before.sending(&gathered.lines);
        self.place.keep_head(self.desk, &known.head).await?;
        self.place
            .keep_ledger(self.desk, part, &known.ledgers[part])
            .await?;
        if gathered.file.findings == 0 && !self.closes {
            return Ok(());
        }
        if gathered.file.length > LARGEST_FILE {
            return Err(Ended(Outcome::Later {
                problem: format!(
                    "{} findings are {} MB, and DefectDojo takes 100 MB",
                    gathered.file.findings,
                    gathered.file.length / 1_000_000
                ),
                after: Some(LONG),
            }));
        }
        let names = self.place.names.of_part(part);
        let (mut context, mut import_before) = self.target(&names, known_test).await?;
        let mut is_second = false;
        loop {
            let sent = Sent {
                delivery: self.delivery(part),
                names: names.clone(),
                test: context.test,
                import_before,
                at: self.now(),
                stage: Stage::Open,
                closes: self.closes,
            };
            self.note(part, Some(sent.clone())).await?;
            let upload = Upload {
                fields: self.fields(&sent, context),
                file: gathered.file.clone(),
            };
            let broken = match self.api.reimport(upload).await {
                Ok(answer) => {
                    let is_new = context.test.is_none();
                    let count = gathered.file.findings;
                    return self
                        .arrived(known, part, sent, &answer, count, is_new)
                        .await;
                }
                Err(broken) => broken,
            };
            match of_upload(self.api, &broken) {
                Verdict::Names(_) if !is_second => {
                    is_second = true;
                    (context, import_before) = self.target(&names, None).await?;
                }
                Verdict::Names(outcome) | Verdict::Over(outcome) => {
                    let stage = Stage::Over;
                    self.note(part, Some(Sent { stage, ..sent })).await?;
                    return Err(Ended(outcome));
                }
                Verdict::Unknown(problem) => {
                    tracing::info!(
                        destination = self.message.destination,
                        "{problem}; its outcome is looked up"
                    );
                    let looked_up = self.outcome_of(&sent).await;
                    let Some(test) = looked_up.map_err(|ended| ended.after(&problem))? else {
                        return Err(Ended(Outcome::Later {
                            problem,
                            after: None,
                        }));
                    };
                    let sent = Sent {
                        test: Some(test),
                        ..sent
                    };
                    return self.conclude(known, part, sent).await;
                }
            }
        }
    }

    fn fields(&self, sent: &Sent, context: Context) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("scan_type", SCAN_TYPE.to_owned()),
            ("product_name", sent.names.product.clone()),
            ("engagement_name", sent.names.engagement.clone()),
            ("test_title", sent.names.title.clone()),
            ("auto_create_context", "true".to_owned()),
            // Left out it would be true.
            ("close_old_findings", sent.closes.to_string()),
            ("build_id", sent.delivery.clone()),
        ];
        if !context.has_product {
            // An existing one must be of this very type, or all is refused.
            fields.push(("product_type_name", self.forward.product_type.clone()));
        }
        if let Some(service) = short(&self.group.service, generic_findings::SERVICE) {
            fields.push(("service", service));
        }
        if let Some(branch) = short(&self.group.branch, BRANCH_TAG) {
            fields.push(("branch_tag", branch));
        }
        let tags = self.forward.tags.iter();
        fields.extend(tags.map(|tag| ("tags", tag.clone())));
        fields
    }

    /// DefectDojo says that it has it all.
    async fn arrived(
        &self,
        known: &mut Known,
        part: usize,
        sent: Sent,
        answer: &Answer,
        count: u64,
        is_new: bool,
    ) -> Result<(), Ended> {
        let contradiction = answer.contradiction(count, is_new, sent.closes);
        let is_doubted = contradiction.is_some();
        let sent = Sent {
            test: answer.test.or(sent.test),
            ..sent
        };
        if let Some(contradiction) = contradiction {
            tracing::warn!(
                destination = self.message.destination,
                test = sent.names.title,
                "{contradiction}"
            );
            if !known.head.doubted {
                known.head.doubted = true;
                self.place.keep_head(self.desk, &known.head).await?;
                let stage = Stage::Over;
                self.note(part, Some(Sent { stage, ..sent })).await?;
                return Err(Ended(Outcome::Later {
                    problem: format!("{contradiction}; it is sent once more"),
                    after: Some(AFTER_DOUBT),
                }));
            }
        }
        known.head.doubted = is_doubted;
        self.conclude(known, part, sent).await
    }

    /// Carries what an import does not: changes of findings that were there already.
    async fn conclude(&self, known: &mut Known, part: usize, sent: Sent) -> Result<(), Ended> {
        let stage = Stage::Arrived;
        let sent = Sent { stage, ..sent };
        self.note(part, Some(sent.clone())).await?;
        known.head.tests[part] = sent.test;
        self.place.keep_head(self.desk, &known.head).await?;
        if known.ledgers[part].has_changes() {
            let test = match sent.test {
                Some(test) => Some(test),
                None => self.context(&sent.names).await?.test,
            };
            if let Some(test) = test {
                self.carry_changes(test, &known.ledgers[part]).await?;
            }
        }
        known.ledgers[part] = known.ledgers[part].arrived(self.room.findings);
        self.place
            .keep_ledger(self.desk, part, &known.ledgers[part])
            .await?;
        let (ledger, first) = (&known.ledgers[part], &mut known.first[part]);
        if first.keep(|key| ledger.holds(key)) {
            self.place.keep_first_words(self.desk, part, first).await?;
        }
        self.note(part + 1, None).await
    }

    async fn note(&self, part: usize, sent: Option<Sent>) -> Result<(), Ended> {
        let note = Note {
            revision: self.message.revision,
            part,
            sent,
        };
        Ok(self.desk.note(&note.text()).await?)
    }

    /// A name for what is sent now, and for nothing else.
    fn delivery(&self, part: usize) -> String {
        let Message {
            destination,
            id,
            revision,
            ..
        } = self.message;
        let at = self.now().timestamp_micros();
        let text = format!("{destination} {id} {revision} {part} {at}");
        let digest = blake3::hash(text.as_bytes()).to_hex();
        format!("secpull-{}", &digest[..16])
    }

    /// Now, by the clock of the desk.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.desk.now() + self.begun.elapsed()
    }
}

/// A text that fits, if there is anything in it.
fn short(text: &Option<String>, longest: usize) -> Option<String> {
    let text = text.as_deref()?.replace('\0', "");
    let text: String = text.trim().chars().take(longest).collect();
    (!text.is_empty()).then_some(text)
}
