//! One case of a vector file (`docs/celosia-1.md` section 10), and how a recipient answers it.

use bytes::Bytes;
use celosia::crypto::hash::payload_id;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::{SigningKey, VerifyKey};
use celosia::crypto::threshold::{GroupKey, Prepared};
use celosia::seal::celosia1::{Expected, Pair, content, pair, parcel, take};
use celosia::types::{Address, NetworkId};
use celosia::wire::Delivery;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes, hexadecimal in the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hex(pub Vec<u8>);

impl Hex {
    pub fn array<const N: usize>(&self) -> [u8; N] {
        self.0.as_slice().try_into().expect("as many bytes as the specification says")
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn address(&self) -> Address {
        Address::new(self.array())
    }
}

impl From<&[u8]> for Hex {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        HEXLOWER.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct File {
    pub about: String,
    pub cases: Vec<Case>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Case {
    pub name: String,
    pub network: Hex,
    pub sender: String,
    pub sender_address: Hex,
    pub signing_seed: Hex,
    pub verify_key: Hex,
    pub sender_epoch_private: Hex,
    pub recipient_epoch_private: Hex,
    pub day: u32,
    pub time: u64,
    pub policy: u64,
    pub class: u8,
    pub padding: String,
    pub recipients: Vec<Hex>,
    pub ours: Vec<Hex>,
    pub data_key: Hex,
    pub nonce: Hex,
    pub box_nonce: Hex,
    pub payload: Hex,
    pub id: Hex,
    pub delivery: Hex,
    pub outcome: String,
    /// What a header with a capsule is made with: key and epoch of the committee, and the sigma in the box.
    #[serde(default, skip_serializing_if = "Hex::is_empty")]
    pub escrow_key: Hex,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub escrow_epoch: u64,
    #[serde(default, skip_serializing_if = "Hex::is_empty")]
    pub sigma: Hex,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Case {
    pub fn network(&self) -> NetworkId {
        NetworkId::new(self.network.array())
    }

    /// What a recipient finds: the payload, or the name of the check that failed.
    pub fn receive(&self) -> Result<Vec<u8>, String> {
        let named = |refused| format!("{refused:?}");
        let delivery = Delivery::decode(&Bytes::from(self.delivery.0.clone())).map_err(|_| "Delivery".to_owned())?;
        let private = self.recipient_epoch_private.array();
        let own = pair::public(&private);
        if own != delivery.to {
            return Err("UnknownEpoch".to_owned());
        }
        let network = self.network();
        let id = payload_id(&delivery.ciphertext);
        let keys = Pair::agree(&network, &private, &own, &delivery.from).map_err(named)?;
        let route = parcel::Route { from: &delivery.from, to: &delivery.to, day: delivery.day, id: &id };
        let unpacked = parcel::open(keys.receiving.expose(), &delivery.box_nonce, route, &delivery.sealed).map_err(named)?;
        let member = "recipient".parse().unwrap();
        let own_key = SigningKey::from_seed(&Secret::random()).verify_key();
        let sender_key = VerifyKey::new(self.verify_key.array());
        let key = GroupKey::from_bytes(self.escrow_key.0.as_slice().try_into().unwrap_or_default());
        let escrows: Vec<_> = key.iter().map(|key| (self.escrow_epoch, Prepared::new(key))).collect();
        let expected =
            Expected { network: &network, member: &member, own_key: &own_key, sender_key: &sender_key, id, escrows: &escrows };
        let ours: Vec<Address> = self.ours.iter().map(Hex::address).collect();
        let taken = take(&expected, &delivery, unpacked, |address| ours.contains(address)).map_err(named)?;
        assert_eq!((taken.header.member.as_str(), taken.header.time), (self.sender.as_str(), self.time));
        assert_eq!((taken.header.sender, taken.header.id), (self.sender_address.address(), id));
        assert_eq!(self.id.0, id.as_bytes());
        let payload = content::open(&network, &taken.header.member, &taken.data_key, &delivery.nonce, &delivery.ciphertext)
            .map_err(named)?;
        Ok(payload.to_vec())
    }

    pub fn check(&self) {
        match self.receive() {
            Ok(payload) => assert_eq!((self.outcome.as_str(), &payload), ("ok", &self.payload.0), "{}", self.name),
            Err(refused) => assert_eq!(self.outcome, refused, "{}", self.name),
        }
    }
}
