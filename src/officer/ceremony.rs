use std::collections::BTreeMap;
use std::path::Path;

use super::{Folder, OfficerError, Place, files};
use crate::ceremony::{Board, CeremonyError, CommitteeFile, Message, Numbers, Plan, Round, Verdict};
use crate::crypto::hpke;
use crate::crypto::secret::Secret;
use crate::crypto::threshold::dkg::{self, Fault};

/// The plan, in a ceremony's folder.
pub const PLAN: &str = "plan.toml";
/// The result, in a ceremony's folder.
pub const RESULT: &str = "committee.toml";
const SEALED: &[u8] = b"celosia ceremony share 1";

/// How far a ceremony is.
#[derive(Debug)]
pub enum Progress {
    /// Others have to speak first.
    Waits {
        /// In which round.
        round: u8,
        /// Who, by name.
        names: Vec<String>,
    },
    /// All have signed.
    Done(Box<CommitteeFile>),
}

impl Folder {
    /// Does all that can be done in a ceremony now. `consent` is asked before the officer says its first word; `refused` is told of files
    /// that are not taken.
    ///
    /// # Errors
    /// A cheater by name, or what stands in the way. Running it again does no harm: it says what it said before.
    pub fn proceed(
        &mut self,
        shared: &Path,
        consent: &mut dyn FnMut(&Plan) -> bool,
        refused: &mut dyn FnMut(&Path, &CeremonyError),
    ) -> Result<Progress, OfficerError> {
        let plan = Plan::parse(&files::read(&shared.join(PLAN))?)?;
        if let Some(known) = Self::committees_of(&self.path)?.into_iter().find(|known| known.ceremony == plan.id()) {
            files::publish(&shared.join(RESULT), known.to_toml().as_bytes())?;
            return Ok(Progress::Done(Box::new(known)));
        }
        let mut ceremony = Ceremony { folder: self, plan: &plan, shared };
        let mut board = Board::new(&plan);
        ceremony.gather(&mut board, refused)?;
        ceremony.remember(&mut board)?;
        loop {
            match board.next(&ceremony.folder.card.signing_key)? {
                Round::Wait(round, names) => return Ok(Progress::Waits { round, names }),
                Round::Commit => {
                    let body = ceremony.commit(&board, consent)?;
                    ceremony.say(&mut board, 1, body)?;
                }
                Round::Deal => {
                    let body = ceremony.deal(&board, consent)?;
                    ceremony.say(&mut board, 2, body)?;
                }
                Round::Sign => {
                    let (body, fault) = ceremony.judge(&board)?;
                    ceremony.say(&mut board, 3, body)?;
                    if let Some(fault) = fault {
                        return Err(fault.into());
                    }
                }
                Round::Done => return ceremony.finish(&board).map(|file| Progress::Done(Box::new(file))),
            }
        }
    }
}

/// A ceremony in a folder.
struct Ceremony<'a> {
    folder: &'a mut Folder,
    plan: &'a Plan,
    shared: &'a Path,
}

impl Ceremony<'_> {
    /// Reads what the others said. Two words of one officer end it; what is otherwise wrong is told and passed over.
    fn gather(&self, board: &mut Board<'_>, refused: &mut dyn FnMut(&Path, &CeremonyError)) -> Result<(), OfficerError> {
        for path in files::list(self.shared, "json")? {
            let read = files::read_bytes(&path).map_err(|_| CeremonyError::Message("it cannot be read"));
            match read.and_then(|bytes| Message::parse(&bytes)).and_then(|message| board.add(message)) {
                Ok(()) => {}
                Err(error @ CeremonyError::Equivocation(_)) => return Err(error.into()),
                Err(error) => refused(&path, &error),
            }
        }
        Ok(())
    }

    /// What this officer said before: said again if it got lost on the way.
    ///
    /// Threat: a folder that was put back to an older copy contradicts itself, and the officer is named as a cheater.
    fn remember(&self, board: &mut Board<'_>) -> Result<(), OfficerError> {
        for round in 1..=3 {
            let name = self.own(&format!("{round}.json"));
            let path = self.folder.path.join(&name);
            let own = if path.is_file() { Some(Message::parse(&files::read_bytes(&path)?)?) } else { None };
            match (own, board.message(round, &self.folder.card.signing_key)) {
                (Some(own), None) => {
                    self.publish(&own)?;
                    board.add(own)?;
                }
                (Some(own), Some(there)) if own == *there => {}
                (_, None) => {}
                (_, Some(_)) => return Err(OfficerError::Forgotten(round)),
            }
        }
        Ok(())
    }

    fn own(&self, ending: &str) -> String {
        let Plan { network, purpose, epoch, generation, .. } = self.plan;
        let place = Place { network, purpose: *purpose, epoch: *epoch, generation: *generation };
        format!("ceremonies/{}-{}-{ending}", place.name(), &self.plan.id().to_string()[..16])
    }

    /// Keeps a word, then says it.
    fn say(&self, board: &mut Board<'_>, round: u8, body: Vec<u8>) -> Result<(), OfficerError> {
        let message = Message::sign(self.plan, round, &self.folder.signing, body);
        files::make_folder(&self.folder.path.join("ceremonies"))?;
        files::write(&self.folder.path.join(self.own(&format!("{round}.json"))), message.to_json().as_bytes())?;
        self.publish(&message)?;
        board.add(message)?;
        Ok(())
    }

    fn publish(&self, message: &Message) -> Result<(), OfficerError> {
        files::publish(&self.shared.join(message.file_name()), message.to_json().as_bytes())
    }

    /// First round: with a fresh seed, which lies in the folder before a word of it is outside.
    fn commit(&mut self, board: &Board<'_>, consent: &mut dyn FnMut(&Plan) -> bool) -> Result<Vec<u8>, OfficerError> {
        let name = self.own("dealer.seed");
        if !self.folder.store.has(&name) {
            self.agree(consent)?;
            files::make_folder(&self.folder.path.join("ceremonies"))?;
            self.folder.store.write(&name, Secret::<32>::random().expose())?;
        }
        let (seed, me) = (self.seed()?, self.dealer(board)?);
        let said = match self.plan.resharing()? {
            Some(resharing) => resharing.commit(me, self.old_share()?.secret(), &seed),
            None => dkg::commit(self.plan.shape(), me, &seed),
        };
        Ok(said.map_err(|fault| board.name_fault(fault))?)
    }

    fn agree(&self, consent: &mut dyn FnMut(&Plan) -> bool) -> Result<(), OfficerError> {
        if let Some(previous) = &self.plan.previous {
            // Threat: shares of an earlier generation, which should be destroyed, are dealt once more.
            let plan = self.plan;
            let known = self.folder.newest(&plan.network, plan.purpose, plan.epoch)?;
            let given = previous.file.committee.generation;
            if let Some(known) = known.map(|known| known.committee.generation).filter(|known| *known > given) {
                return Err(OfficerError::NotNewest { known, given });
            }
        }
        self.check_free()?;
        if consent(self.plan) { Ok(()) } else { Err(OfficerError::Declined) }
    }

    /// Threat: a second ceremony for the same place, by mistake or by somebody's intent, takes the share of the first away.
    fn check_free(&self) -> Result<(), OfficerError> {
        let plan = self.plan;
        let is_taken = |known: &CommitteeFile| {
            let committee = &known.committee;
            let (place, own) =
                ((committee.purpose, committee.epoch, committee.generation), (plan.purpose, plan.epoch, plan.generation));
            known.network == plan.network && place == own && known.ceremony != plan.id()
        };
        let is_taken = Folder::committees_of(&self.folder.path)?.iter().any(is_taken);
        if is_taken { Err(OfficerError::Taken(plan.title())) } else { Ok(()) }
    }

    fn seed(&self) -> Result<Secret<32>, OfficerError> {
        let name = self.own("dealer.seed");
        Secret::from_slice(&self.folder.store.read(&name)?).ok_or_else(|| OfficerError::Damaged(self.folder.path.join(name)))
    }

    fn dealer(&self, board: &Board<'_>) -> Result<u16, OfficerError> {
        let party = board.party(&self.folder.card.signing_key);
        Ok(party.and_then(|party| party.deals).ok_or(CeremonyError::Stranger)?)
    }

    fn receiver(&self, board: &Board<'_>) -> Option<u16> {
        board.party(&self.folder.card.signing_key)?.receives.map(|(index, _)| index)
    }

    fn old_share(&self) -> Result<crate::crypto::threshold::KeyShare, OfficerError> {
        let previous = self.plan.previous.as_ref().ok_or_else(|| OfficerError::NoShare(self.plan.title()))?;
        self.folder.share(&self.plan.network, &previous.file.committee)
    }

    /// Second round: what was seen; and from a dealer its numbers, each sealed to its receiver.
    fn deal(&self, board: &Board<'_>, consent: &mut dyn FnMut(&Plan) -> bool) -> Result<Vec<u8>, OfficerError> {
        let name = |fault: Fault| board.name_fault(fault);
        let Ok(me) = self.dealer(board) else {
            // One who deals was asked in the first round.
            self.agree(consent)?;
            board.unsigned()?;
            return Ok(Numbers { seen: board.seen(), sealed: Vec::new() }.encode());
        };
        let (seed, commitments) = (self.seed()?, board.commitments());
        let numbers = match self.plan.resharing()? {
            Some(resharing) => {
                resharing.public(&commitments).map_err(name)?;
                resharing.deal(me, self.old_share()?.secret(), &seed).map_err(name)?
            }
            None => dkg::deal(self.plan.shape(), me, &seed, &commitments).map_err(name)?,
        };
        let own = self.plan.previous.is_none().then_some(me);
        let mut sealed = Vec::with_capacity(self.plan.officers.len());
        for (to, card) in &self.plan.officers {
            let number = numbers.get(to).filter(|_| own != Some(*to));
            let aad = self.aad(me, *to);
            let seal = |number: &Secret<32>| hpke::seal(&card.box_key, SEALED, &aad, number.expose());
            let low = |_| CeremonyError::Shape(format!("the box key of {} is of low order", card.name));
            sealed.push(number.map(seal).transpose().map_err(low)?.unwrap_or_default());
        }
        Ok(Numbers { seen: board.seen(), sealed }.encode())
    }

    /// Threat: a number for one shown to another, or in another ceremony.
    fn aad(&self, from: u16, to: u16) -> Vec<u8> {
        [self.plan.id().0.as_slice(), &from.to_be_bytes(), &to.to_be_bytes()].concat()
    }

    /// Third round: the share is there before the committee is signed. A number that does not fit is answered with an accusation.
    fn judge(&self, board: &Board<'_>) -> Result<(Vec<u8>, Option<CeremonyError>), OfficerError> {
        board.check_echoes()?;
        let file = board.unsigned()?;
        if let Some(me) = self.receiver(board) {
            match self.receive(board, me)? {
                Ok(share) => self.folder.store.write(&self.own("new.share"), share.expose())?,
                Err(fault @ Fault::Share(dealer)) => {
                    let dealer = board.dealers().get(&dealer).map(|party| party.key).ok_or(CeremonyError::Stranger)?;
                    return Ok((Verdict::Accuse { dealer }.encode(), Some(board.name_fault(fault))));
                }
                Err(fault) => return Err(board.name_fault(fault).into()),
            }
        }
        let (transcript, signature) = (file.transcript, file.sign(&self.folder.signing));
        Ok((Verdict::Signed { transcript, signature }.encode(), None))
    }

    fn receive(&self, board: &Board<'_>, me: u16) -> Result<Result<Secret<32>, Fault>, OfficerError> {
        let mut numbers = BTreeMap::new();
        for (dealer, sealed) in board.sealed_to(me)? {
            let opened = self.folder.open_box(SEALED, &self.aad(dealer, me), &sealed);
            if let Some(number) = opened.ok().and_then(|bytes| Secret::from_slice(&bytes)) {
                numbers.insert(dealer, number);
            }
        }
        let commitments = board.commitments();
        let outcome = match self.plan.resharing()? {
            Some(resharing) => resharing.finish(me, &commitments, &numbers),
            None => dkg::finish(self.plan.shape(), me, &self.seed()?, &commitments, &numbers),
        };
        Ok(outcome.map(|outcome| outcome.share))
    }

    /// All have signed: the share takes its place, and the seed goes.
    fn finish(&mut self, board: &Board<'_>) -> Result<CommitteeFile, OfficerError> {
        self.check_free()?;
        let file = board.complete()?;
        let share = self.own("new.share");
        if self.receiver(board).is_some() {
            let bytes = Secret::from_slice(&self.folder.store.read(&share)?);
            let bytes = bytes.ok_or_else(|| OfficerError::Damaged(self.folder.path.join(&share)))?;
            self.folder.keep_share(&file, &bytes)?;
        }
        self.folder.keep_committee(&file)?;
        // Threat: with the seed, whoever gets the folder later knows what was dealt, and from that old shares.
        for ending in ["dealer.seed", "new.share"] {
            files::destroy(&self.folder.path.join(self.own(ending)))?;
        }
        files::publish(&self.shared.join(RESULT), file.to_toml().as_bytes())?;
        Ok(file)
    }
}
