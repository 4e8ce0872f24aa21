import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import quorum from "quorum-js";
import { decode, encode } from "rlp";
import Web3 from "web3";
import { a, account, b, mutual, receive, standInNode, tls, ways } from "./network.mjs";

let node;
before(async () => (node = await standInNode()));
after(() => node.close());

for (const [way, options] of Object.entries({ ...ways, ...mutual })) {
  const manager = () => quorum.RawTransactionManager(new Web3(node.url), options);

  test(`quorum-js over ${way}: storeRawRequest`, async () => {
    const id = await manager().storeRawRequest("0xdecade01", a.key);
    assert.match(id, /^[0-9a-f]{128}$/);
    assert.deepEqual(await receive(a.socket, id, true), { status: 200, payload: "decade01" });
  });

  test(`quorum-js over ${way}: sendRawTransaction`, async () => {
    const data = `0xdecade02${Buffer.from(way).toString("hex")}`;
    const transaction = { data, from: account, to: undefined, nonce: 0, gasLimit: 100000, gasPrice: 0, value: 0, isPrivate: true, privateFrom: a.key, privateFor: [b.key] };
    const receipt = await manager().sendRawTransaction(transaction);
    assert.ok(receipt.status);
    assert.deepEqual(await receive(b.socket, node.seen.at(-1)), { status: 200, payload: data.slice(2) });
    assert.deepEqual(await receive(a.socket, node.seen.at(-1)), { status: 200, payload: data.slice(2) });
  });

  test(`quorum-js over ${way}: party protection`, async () => {
    const transaction = { data: "0xdecade03", from: account, nonce: 0, gasLimit: 100000, gasPrice: 0, value: 0, isPrivate: true, privateFrom: a.key, privateFor: [b.key], privacyFlag: 1 };
    await manager().sendRawTransaction(transaction);
    assert.deepEqual(await receive(b.socket, node.seen.at(-1)), { status: 200, payload: "decade03" });
  });

  test(`quorum-js over ${way}: an unknown recipient is an error that names it`, async () => {
    const stranger = Buffer.alloc(32, 7).toString("base64");
    const transaction = { data: "0xdecade04", from: account, nonce: 0, gasLimit: 100000, gasPrice: 0, value: 0, isPrivate: true, privateFrom: a.key, privateFor: [stranger] };
    await assert.rejects(manager().sendRawTransaction(transaction), new RegExp(`404: Recipient not found for key: ${stranger.replaceAll("+", "\\+")}`));
  });
}

test("quorum-js setPrivate marks a signed transaction and keeps its fields", () => {
  const manager = quorum.RawTransactionManager(new Web3(node.url), ways["Unix socket"]);
  const field = (byte, length) => Buffer.alloc(length, byte);
  const signed = encode([field(0, 0), field(0, 0), field(9, 2), field(5, 20), field(0, 0), field(7, 64), field(0x1c, 1), field(0x11, 32), field(0x22, 32)]);
  const fields = decode(manager.setPrivate(signed));
  assert.equal(fields[6].toString("hex"), "26");
  assert.deepEqual(fields[5], field(7, 64));
  assert.deepEqual(fields[7], field(0x11, 32));
});

test("the TLS listener refuses a caller without a certificate", async () => {
  const manager = quorum.RawTransactionManager(new Web3(node.url), { privateUrl: a.https, publicUrl: a.https, tlsSettings: { cacert: tls.cacert } });
  await assert.rejects(manager.storeRawRequest("0x01", a.key));
});
