//! An order to erase, signed by the member that answers for the items (`docs/erasure.md` section 3).

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use super::Ground;
use crate::crypto::Broken;
use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::{ItemId, MemberId, NetworkId, ParseError};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of an order is for.
const ORDER_PURPOSE: &str = "celosia erasure-order 1";
/// Items of one order, at most: a case with more has several.
pub const MAX_ITEMS: usize = 4096;

const FORM: &str = "erasure order";
const FIELDS: u64 = 9;

/// The random name of a case: 16 bytes, 32 hexadecimal digits in text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CaseId(pub [u8; 16]);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for CaseId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ParseError::Hex)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: 16, actual })
    }
}

crate::types::as_text!(CaseId);

/// What a holder is told to erase.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    /// Which network.
    pub network: NetworkId,
    /// Which case of the controller's.
    pub case: CaseId,
    /// Which of the case's orders to this holder, from 0.
    pub page: u32,
    /// The member that sent the items and answers for them.
    pub controller: MemberId,
    /// To whom it is addressed.
    pub holder: MemberId,
    /// Why.
    pub ground: Ground,
    /// When it was given, milliseconds since the Unix epoch.
    pub time: u64,
    /// By when the law wants it done (art. 12(3)), milliseconds since the Unix epoch.
    pub deadline: u64,
    /// What.
    pub items: Vec<ItemId>,
}

/// An order and its controller's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedOrder {
    /// What it says.
    pub order: Order,
    /// The controller's on [`Order::statement`].
    pub signature: Signature,
}

impl Order {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(ORDER_PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        let form = Form::of(count, 256 + 66 * self.items.len())
            .bytes(self.network.as_bytes())
            .bytes(&self.case.0)
            .number(self.page)
            .text(self.controller.as_str())
            .text(self.holder.as_str())
            .text(self.ground.name())
            .number(self.time)
            .number(self.deadline)
            .list(self.items.len() as u64);
        self.items.iter().fold(form, |form, item| form.bytes(item.as_bytes()))
    }
}

impl SignedOrder {
    /// Reads what [`SignedOrder::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
        let order = Order {
            network: NetworkId::new(fields.array("network")?),
            case: CaseId(fields.array("case")?),
            page: fields.number("page")?,
            controller: fields.word("controller")?,
            holder: fields.word("holder")?,
            ground: fields.word("ground")?,
            time: fields.number("time")?,
            deadline: fields.number("deadline")?,
            items: fields
                .list("items", |fields| ItemId::from_bytes(fields.bytes("item", 64)?).map_err(|_| DecodeError::Length("item")))?,
        };
        let distinct: std::collections::BTreeSet<_> = order.items.iter().collect();
        if order.items.is_empty() || order.items.len() > MAX_ITEMS || distinct.len() != order.items.len() {
            return Err(DecodeError::Value("items"));
        }
        let signed = Self { order, signature: fields.array("signature")? };
        canonical(bytes, &signed.encode(), FORM)?;
        Ok(signed)
    }

    /// `[network, case, page, controller, holder, ground, time, deadline, [item …], signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.order.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// SHA-256 of its bytes: its name in receipts and in journals.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&[&self.encode()])
    }

    /// Whether the signature is `key`'s. The caller compares network, controller and holder.
    pub fn verify(&self, key: &VerifyKey) -> Result<(), Broken> {
        key.verify(&self.order.statement(), &self.signature)
    }
}
