//! What an apply would make of an object, by the API server's own word.

use bytes::Bytes;
use serde_json::Value;

use super::conflict::{conflicts, leave_out};
use super::{ApplyError, Intent, ROUNDS, encode, owner_of, place};
use crate::caller::{Caller, Payload, Want};
use crate::error::ApiError;
use crate::ownership::Owner;

/// What an apply would come to.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The object as it would be.
    pub object: Value,
    /// Fields that would be left to their writers: the field and the manager.
    pub left_out: Vec<(String, String)>,
}

/// Asks the API server what an apply would make of an object, without doing it. Conflicts are
/// settled as [`super::apply`] settles them; what an adoption would take over is not foreseen.
///
/// # Errors
/// [`ApplyError`] as for an apply.
pub async fn dry_run(
    caller: &Caller,
    owner: &Owner,
    intent: Intent<'_>,
) -> Result<Foreseen, ApplyError> {
    let manager = owner.manager();
    let place = place(intent.object, intent.api);
    let mut body = intent.object.clone();
    let mut left_out = Vec::new();
    let mut force = false;
    for _ in 0..ROUNDS {
        let query = format!("fieldManager={}&force={force}&dryRun=All", encode(&manager));
        let payload = Payload::Apply(Bytes::from(body.to_string()));
        let refusal = match caller.patch(&place, &query, Want::Whole, &payload).await {
            Ok(answer) => {
                let object = answer.decode()?;
                return Ok(Foreseen { object, left_out });
            }
            Err(ApiError::Refused(refusal)) if refusal.code == 409 && !force => refusal,
            Err(error) => return Err(error.into()),
        };
        let conflicts = conflicts(&refusal);
        if let Some(other) = conflicts
            .iter()
            .find(|conflict| conflict.is_with_owner(&manager))
        {
            let owner = owner_of(caller, &place, &other.manager).await;
            let manager = other.manager.clone();
            return Err(ApplyError::OwnedBy { manager, owner });
        }
        let kept = leave_out(&mut body, &conflicts, intent.ignore, intent.release_from);
        force = kept.is_empty();
        left_out.extend(kept);
    }
    Err(ApiError::Unreachable(format!(
        "{ROUNDS} conflicts in a row: others write it all the time"
    ))
    .into())
}
