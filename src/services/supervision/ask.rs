//! The sender's side of a co-signature: supervisors are asked until one answers, or the time is over.

use std::time::Duration;

use tokio::time::Instant;

use super::SupervisionError;
use super::cosign::check_cosignature;
use crate::governance::Charter;
use crate::services::governed::{Governed, native_address};
use crate::services::native::path;
use crate::services::{Error, Node, PeerError};
use crate::types::{MemberId, PayloadId};
use crate::wire::native::{CosignAsked, CosignSaid, Message as _};

/// One question, with what the network adds.
const BUDGET: Duration = Duration::from_secs(5);
/// Questions to a supervisor that does not answer come no faster.
const AGAIN: Duration = Duration::from_millis(200);

impl Node {
    /// Asks the supervisors of a payload, which have received it, for a co-signature: the first that answers decides.
    pub(crate) async fn await_cosignature(
        &self,
        governed: &Governed,
        charter: &Charter,
        supervisors: &[MemberId],
        of: (PayloadId, [u8; 32]),
    ) -> Result<Vec<u8>, Error> {
        if supervisors.is_empty() {
            return Err(SupervisionError::NotCosigned.into());
        }
        let deadline = Instant::now() + self.settings.cosign.within;
        let asked = supervisors.iter().map(|supervisor| Box::pin(self.ask_one(governed, charter, supervisor, of, deadline)));
        let answer = futures_util::future::select_ok(asked).await;
        let outcome = answer.map(|(cosignature, _)| cosignature);
        if outcome.is_err() {
            self.end_question(governed, charter, supervisors, of).await;
        }
        outcome
    }

    async fn ask_one(
        &self,
        governed: &Governed,
        charter: &Charter,
        supervisor: &MemberId,
        of: (PayloadId, [u8; 32]),
        deadline: Instant,
    ) -> Result<Vec<u8>, Error> {
        let over = || SupervisionError::CosignLate(supervisor.clone());
        let to =
            charter.members().by_id(supervisor).and_then(native_address).ok_or_else(|| Error::NotAMember(supervisor.clone()))?;
        let asked = question(of, false);
        while Instant::now() < deadline {
            let call = governed.peers.call(&to, path::SUPERVISION_COSIGN, asked.clone().into(), BUDGET);
            let answer = tokio::time::timeout_at(deadline, call).await.map_err(|_| over())?;
            match answer.map(|bytes| CosignSaid::from_bytes(&bytes)) {
                Ok(Ok(CosignSaid { cosignature: Some(cosignature), .. })) => {
                    let bytes = Vec::from(cosignature);
                    check_cosignature(governed, charter, std::slice::from_ref(supervisor), &bytes, of)?;
                    return Ok(bytes);
                }
                Ok(Ok(CosignSaid { refused: Some(reason), .. })) => {
                    let reason = reason.chars().filter(|c| !c.is_control()).take(crate::supervision::MAX_TEXT).collect();
                    return Err(SupervisionError::CosignRefused { supervisor: supervisor.clone(), reason }.into());
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Err(PeerError::Malformed(to.endpoint.clone()).into()),
                // Away, or busy: asked again until the time is over.
                Err(PeerError::Offline(_) | PeerError::Refused { status: 429 | 503, .. }) => tokio::time::sleep(AGAIN).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(over().into())
    }

    /// Tells supervisors that their word is waited for no more: they forget the payload. Best effort.
    async fn end_question(&self, governed: &Governed, charter: &Charter, supervisors: &[MemberId], of: (PayloadId, [u8; 32])) {
        let ended = question(of, true);
        for to in supervisors.iter().filter_map(|supervisor| charter.members().by_id(supervisor).and_then(native_address)) {
            let told = governed.peers.call(&to, path::SUPERVISION_COSIGN, ended.clone().into(), BUDGET).await;
            if let Err(error) = told {
                tracing::warn!(member = %to.member, error = error.without_words(), "a supervisor was not told that a send ended");
            }
        }
    }
}

fn question((id, header): (PayloadId, [u8; 32]), end: bool) -> Vec<u8> {
    CosignAsked { id: id.as_bytes().to_vec().into(), header: header.to_vec().into(), end }.to_bytes()
}
