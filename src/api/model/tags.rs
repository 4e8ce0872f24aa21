use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::erasure::{Basis, TagError, Tags, until};
use crate::types::Class;

/// What is known of a payload or document beyond its header. Fields that are absent are not known.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = Tags)]
pub(crate) struct TagsJson {
    /// `public`, `business`, `personal` or `special`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    class: Option<Class>,
    /// Why it is processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    /// On which ground of GDPR art. 6(1): `consent`, `contract`, `legal-obligation`, `vital-interests`, `public-task` or `legitimate-interests`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    basis: Option<String>,
    /// How long, or until when, it is kept: `1825d`, `P5Y`, `2031-12-31` or a moment (RFC 3339), which answers have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retention: Option<String>,
    /// Address of the contract that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contract: Option<String>,
    /// Pseudonyms of the people it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subjects: Vec<String>,
}

impl TagsJson {
    /// Whether a body is an object: a list would be taken for one without fields, and wipe what is known.
    pub(crate) fn is_object(body: &[u8]) -> bool {
        body.trim_ascii_start().first() == Some(&b'{')
    }

    /// The tags that it describes.
    pub(crate) fn read(self, now: Timestamp) -> Result<Tags, TagError> {
        let Self { class, purpose, basis, retention, contract, subjects } = self;
        let mut tags = Tags {
            class,
            purpose,
            basis: basis.map(|text| text.parse::<Basis>()).transpose()?,
            retain_until: retention.map(|text| until(&text, now)).transpose()?,
            contract,
            subjects,
        };
        tags.normalise()?;
        Ok(tags)
    }
}

impl From<Tags> for TagsJson {
    fn from(tags: Tags) -> Self {
        let moment = |millis: u64| Timestamp::from_millisecond(i64::try_from(millis).ok()?).ok();
        Self {
            class: tags.class,
            purpose: tags.purpose,
            basis: tags.basis.map(|basis| basis.name().to_owned()),
            retention: tags.retain_until.and_then(moment).map(|moment| moment.to_string()),
            contract: tags.contract,
            subjects: tags.subjects,
        }
    }
}
