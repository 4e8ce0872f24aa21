import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Web3 from "web3";
import Web3Quorum from "web3js-quorum";
import { a, account, b, receive, standInNode, ways } from "./network.mjs";

let node;
before(async () => (node = await standInNode()));
after(() => node.close());

for (const [way, options] of Object.entries(ways)) {
  const client = () => new Web3Quorum(new Web3(node.url), options, true);

  test(`web3js-quorum over ${way}: upCheck`, async () => {
    assert.equal(await client().ptm.upCheck(), "I'm up!");
  });

  test(`web3js-quorum over ${way}: storeRaw keeps the payload here and only here`, async () => {
    const id = await client().ptm.storeRaw({ data: "0xc0ffee01", privateFrom: a.key });
    assert.match(id, /^[0-9a-f]{128}$/);
    assert.deepEqual(await receive(a.socket, id, true), { status: 200, payload: "c0ffee01" });
    assert.equal((await receive(b.socket, id)).status, 404);
  });

  test(`web3js-quorum over ${way}: storeRaw with a key that is not ours is refused`, async () => {
    await assert.rejects(client().ptm.storeRaw({ data: "0xc0ffee", privateFrom: b.key }), (error) => error.statusCode === 404);
  });

  test(`web3js-quorum over ${way}: send reaches the recipient`, async () => {
    const id = await client().ptm.send({ data: "0xc0ffee02", privateFrom: a.key, privateFor: [b.key] });
    assert.deepEqual(await receive(b.socket, id), { status: 200, payload: "c0ffee02" });
  });

  test(`web3js-quorum over ${way}: a signed private transaction`, async () => {
    const data = `0xc0ffee03${Buffer.from(way).toString("hex")}`;
    const transaction = { data, from: account, to: undefined, nonce: 0, gasLimit: 100000, gasPrice: 0, value: 0, isPrivate: true, privateFrom: a.key, privateFor: [b.key] };
    const receipt = await client().priv.generateAndSendRawTransaction(transaction);
    assert.ok(receipt);
    assert.deepEqual(await receive(b.socket, node.seen.at(-1)), { status: 200, payload: data.slice(2) });
  });
}

test("web3js-quorum on the application surface: keys and partyInfoKeys", async () => {
  const { ptm } = new Web3Quorum(new Web3(node.url), { privateUrl: process.env.CLIENTS_A_APPLICATION }, true);
  const names = (answer) => JSON.parse(answer).keys.map(({ key }) => key);
  assert.deepEqual(names(await ptm.keys()), [a.key]);
  assert.deepEqual(new Set(names(await ptm.partyInfoKeys())), new Set([a.key, b.key]));
  assert.match(await ptm.storeRaw({ data: "0x01", privateFrom: a.key }), /^[0-9a-f]{128}$/);
});
