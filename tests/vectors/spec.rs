use bytes::Bytes;
use celosia::crypto::{hash, nacl};
use celosia::types::{Affected, Codec, GroupId, PayloadId, Privacy, PrivacyFlag};
use celosia::wire::privacy_group::{EncodedGroup, GroupKind, GroupState, legacy_id, lookup_id, pantheon_id};
use celosia::wire::{EncodedPayload, PartyInfo};
use data_encoding::BASE64;
use serde_json::Value;

use super::data::{base64, hex, open, secret, spec, text};

/// The payload of the vectors with the given rules, for n2 alone.
fn payload(spec: &Value, privacy: Privacy) -> EncodedPayload {
    EncodedPayload {
        sender: text(&spec["n1_public"]).parse().unwrap(),
        ciphertext: hex(&spec["ciphertext"]).into(),
        nonce: hex(&spec["nonce"]).try_into().unwrap(),
        boxes: vec![hex(&spec["box_n2"]).try_into().unwrap()],
        recipient_nonce: hex(&spec["recipient_nonce"]).try_into().unwrap(),
        recipients: vec![text(&spec["n2_public"]).parse().unwrap()],
        privacy,
    }
}

fn state_validation(spec: &Value) -> EncodedPayload {
    let affected = Affected {
        id: PayloadId::try_from(hex(&spec["affected_id"]).as_slice()).unwrap(),
        hash: hex(&spec["security_hash"]).try_into().unwrap(),
    };
    let exec_hash = text(&spec["exec_hash"]).as_bytes().to_vec();
    let flag = PrivacyFlag::StateValidation;
    let mut payload = payload(spec, Privacy { flag, affected: vec![affected], exec_hash, ..Privacy::default() });
    payload.recipients.push(payload.sender);
    payload
}

fn mandatory(spec: &Value, group: Option<GroupId>) -> EncodedPayload {
    let recipient = text(&spec["n2_public"]).parse().unwrap();
    let flag = PrivacyFlag::MandatoryRecipients;
    payload(spec, Privacy { flag, mandatory: vec![recipient], group, ..Privacy::default() })
}

#[test]
fn payloads_have_the_bytes_of_the_vectors() {
    let spec = spec();
    let standard = payload(&spec, Privacy::default());
    let group = Some(GroupId(hex(&spec["group"])));
    let cases = [
        ("legacy_standard", Codec::Legacy, standard.clone()),
        ("cbor_standard", Codec::Cbor, standard),
        ("legacy_state_validation", Codec::Legacy, state_validation(&spec)),
        ("cbor_state_validation", Codec::Cbor, state_validation(&spec)),
        ("legacy_mandatory", Codec::Legacy, mandatory(&spec, None)),
        ("legacy_mandatory_in_group", Codec::Legacy, mandatory(&spec, group.clone())),
        ("cbor_mandatory_in_group", Codec::Cbor, mandatory(&spec, group)),
    ];
    assert_eq!(cases.len(), spec["payloads"].as_object().unwrap().len());
    for (name, codec, payload) in cases {
        let bytes = Bytes::from(hex(&spec["payloads"][name]));
        assert_eq!(payload.encode(codec), bytes, "{name}");
        assert_eq!(EncodedPayload::decode(codec, &bytes).as_ref(), Ok(&payload), "{name}");
        let (key, plaintext) = open(&payload, &secret(&base64(&spec["n2_private"]))).unwrap();
        assert_eq!(key.expose().as_slice(), hex(&spec["data_key"]));
        assert_eq!(plaintext, text(&spec["plaintext"]).as_bytes());
    }
}

#[test]
fn the_ciphertext_is_a_slice_of_the_body() {
    let spec = spec();
    for (name, codec) in [("legacy_standard", Codec::Legacy), ("cbor_standard", Codec::Cbor)] {
        let body = Bytes::from(hex(&spec["payloads"][name]));
        let payload = EncodedPayload::decode(codec, &body).unwrap();
        assert!(body.as_ptr_range().contains(&payload.ciphertext.as_ptr()), "{name}");
    }
}

#[test]
fn boxes_have_the_bytes_of_the_vectors() {
    let spec = spec();
    let n1 = secret(&base64(&spec["n1_private"]));
    let [sender, recipient] = ["n1_public", "n2_public"].map(|name| text(&spec[name]).parse().unwrap());
    let data_key = secret(&hex(&spec["data_key"]));
    let nonce = hex(&spec["nonce"]).try_into().unwrap();
    let recipient_nonce = hex(&spec["recipient_nonce"]).try_into().unwrap();
    assert_eq!(nacl::public_key(&n1), sender);
    let shared = nacl::shared_key(&n1, &recipient).unwrap();
    let own = nacl::shared_key(&n1, &sender).unwrap();
    assert_eq!(shared.expose().as_slice(), hex(&spec["shared_key"]));
    let ciphertext = nacl::seal(data_key.expose(), &nonce, text(&spec["plaintext"]).as_bytes());
    assert_eq!(ciphertext, hex(&spec["ciphertext"]));
    assert_eq!(hash::payload_id(&ciphertext).to_string(), text(&spec["id"]));
    assert_eq!(nacl::seal_key(&shared, &recipient_nonce, &data_key).as_slice(), hex(&spec["box_n2"]));
    assert_eq!(nacl::seal_key(&own, &recipient_nonce, &data_key).as_slice(), hex(&spec["box_n1"]));
    assert_eq!(nacl::seal_key(&own, &nonce, &data_key).as_slice(), hex(&spec["raw_box"]));
}

#[test]
fn the_announcement_has_the_bytes_of_the_vector() {
    let spec = spec();
    let url = "http://localhost:9001/".to_owned();
    let key = text(&spec["n1_public"]).parse().unwrap();
    let info = PartyInfo { url: url.clone(), recipients: vec![(key, url.clone())], parties: vec![url] };
    assert_eq!(info.encode(), hex(&spec["party_info"]));
    assert_eq!(PartyInfo::decode(&info.encode()), Ok(info));
}

#[test]
fn groups_have_the_bytes_and_ids_of_the_vectors() {
    for vector in spec()["groups"].as_array().unwrap() {
        let members: Vec<_> = vector["members"].as_array().unwrap().iter().map(|key| text(key).parse().unwrap()).collect();
        let seed = hex(&vector["seed"]);
        let shown = |id: GroupId| BASE64.encode(&id.0);
        assert_eq!(shown(legacy_id(&members)), text(&vector["legacy_id"]));
        assert_eq!(shown(pantheon_id(&members, &seed)), text(&vector["pantheon_id"]));
        assert_eq!(shown(lookup_id(&members)), text(&vector["lookup_id"]));
        let group = EncodedGroup {
            name: "groupe é".into(),
            description: String::new(),
            members,
            seed,
            kind: GroupKind::Pantheon,
            state: GroupState::Active,
        };
        assert_eq!(group.encode(), hex(&vector["encoded"]));
        assert_eq!(EncodedGroup::decode(&group.encode()), Ok(group));
    }
}
