//! Every document has one encoding.

use super::super::sample::{NOW, key};
use super::super::*;
use super::case;

/// Reads a document and writes it again.
type Again = fn(&[u8]) -> Result<Vec<u8>, Refused>;

#[test]
fn every_document_reads_back_and_refuses_every_cut_and_every_tail() {
    let case = case(&["x"]);
    let verdicts = case.verdicts(&[1, 2, 3]);
    let view = case.world.view(&case.docket.docket, &verdicts);
    let (shares, _) = case.world.shares_of(&case.request, &case.docket, &case.items, 1);
    let release = Release {
        network: case.world.network,
        grant: case.request.request.grant,
        case: case_digest(&case.docket.docket),
        member: case.world.member.clone(),
        view: 1,
        time: NOW,
        items: 1,
    };
    let release = SignedRelease { signature: key("banco").sign(&release.statement()), release };
    release.verify(&case.docket.docket, &key("banco").verify_key()).expect("the holder's");
    let notice = Notice { view: Some(view), ..case.notice(verdicts.clone()) };
    let notice = SignedNotice { signature: key("banco").sign(&notice.statement()), notice };
    notice.verify(&case.world.charter).expect("the holder's");
    let others = SignedNotice { signature: key("otro").sign(&notice.notice.statement()), notice: notice.notice.clone() };
    assert_eq!(others.verify(&case.world.charter), Err(Refused::Signature("notice")));
    let revocation = Revocation {
        network: case.world.network,
        grant: case.request.request.grant,
        officer: key("officer 2").verify_key(),
        text: "out of scope".into(),
        time: NOW,
    };
    let revocation = revocation.sign(|message| key("officer 2").sign(message));
    revocation.verify(&case.world.network, case.request.request.grant, |_| true).expect("an officer's");
    let other = GrantId([1; 16]);
    assert_eq!(revocation.verify(&case.world.network, other, |_| true), Err(Refused::OtherCase("revocation")));
    let withheld = Released::Withheld { id: case.items[0].id, why: "erased since".into(), signature: [7; 64] };
    let given = case.world.released(&case.docket, &case.kept[0]);
    let taking = Taking { network: case.world.network, case: case_digest(&case.docket.docket), part: Part::Release, time: NOW };
    let taking = taking.sign(&key("auditor"));
    let forms: [(Vec<u8>, Again); 10] = [
        (taking.encode(), |bytes| Ok(SignedTaking::decode(bytes)?.encode())),
        (case.request.encode(), |bytes| Ok(SignedRequest::decode(bytes)?.encode())),
        (case.docket.encode(), |bytes| Ok(SignedDocket::decode(bytes)?.encode())),
        (case.items[0].encode(), |bytes| Ok(Item::decode(bytes)?.encode())),
        (verdicts[0].encode(), |bytes| Ok(SignedVerdict::decode(bytes)?.encode())),
        (shares.encode(), |bytes| Ok(SignedShares::decode(bytes)?.encode())),
        (release.encode(), |bytes| Ok(SignedRelease::decode(bytes)?.encode())),
        (given.encode(), |bytes| Ok(Released::decode(bytes)?.encode())),
        (notice.encode(), |bytes| Ok(SignedNotice::decode(bytes)?.encode())),
        (revocation.encode(), |bytes| Ok(SignedRevocation::decode(bytes)?.encode())),
    ];
    for (number, (bytes, again)) in forms.iter().enumerate() {
        assert_eq!(again(bytes).as_ref(), Ok(bytes), "form {number}");
        for cut in 0..bytes.len() {
            assert!(again(&bytes[..cut]).is_err(), "form {number}, cut at {cut}");
        }
        assert!(again(&[bytes.as_slice(), &[0]].concat()).is_err(), "form {number}");
    }
    assert_eq!(Released::decode(&withheld.encode()), Ok(withheld));
    for why in ["", " x", "x\u{1b}[1A\u{1b}[2K\ry", "a\nb", &"x".repeat(1_025)] {
        let foreign = Released::Withheld { id: case.items[0].id, why: why.into(), signature: [7; 64] };
        assert!(Released::decode(&foreign.encode()).is_err(), "{why:?}");
        let words = Released::words(why);
        let kept = Released::Withheld { id: case.items[0].id, why: words, signature: [7; 64] };
        assert_eq!(Released::decode(&kept.encode()), Ok(kept));
    }
    let framed = frame(&[7; 300]);
    assert_eq!(frame_head(&framed), Ok(Frame::Of { head: 3, content: 300 }));
    assert_eq!((frame_head(&[]), frame_head(&framed[..2])), (Ok(Frame::More), Ok(Frame::More)));
    assert!(frame_head(&[0x58, 3]).is_err() && frame_head(&[0x80]).is_err() && frame_head(&[0x5a, 0xff, 0, 0, 0]).is_err());
    let text = to_json("celosia-disclosure-request-1", &[case.request.encode()]);
    assert_eq!(from_json("celosia-disclosure-request-1", &text), Ok(vec![case.request.encode()]));
    assert!(from_json("celosia-disclosure-verdict-1", &text).is_err());
}
