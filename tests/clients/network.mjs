// What the tests share: where the two nodes are, reading a payload as a node does, and a stand-in for the Ethereum node.

import { createServer, request } from "node:http";
import { readFileSync } from "node:fs";
import { decode } from "rlp";

const from = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this through cargo test --test clients`);
  return value;
};

export const a = {
  socket: from("CLIENTS_A_SOCKET"),
  http: from("CLIENTS_A_HTTP"),
  https: from("CLIENTS_A_HTTPS"),
  httpsOpen: from("CLIENTS_A_HTTPS_OPEN"),
  key: from("CLIENTS_A_KEY"),
};
export const b = { socket: from("CLIENTS_B_SOCKET"), key: from("CLIENTS_B_KEY") };

const pem = (name) => readFileSync(`${from("CLIENTS_TLS")}/${name}.pem`);
export const tls = { key: pem("client-key"), clcert: pem("client"), cacert: pem("ca") };

/** Ways to reach the same node, as options of the client libraries. */
export const ways = {
  "Unix socket": { ipcPath: a.socket },
  HTTP: { privateUrl: a.http, publicUrl: a.http },
  TLS: { privateUrl: a.httpsOpen, publicUrl: a.httpsOpen, tlsSettings: { cacert: tls.cacert } },
};
/** web3js-quorum 22.4 reads client certificates, but never shows them; quorum-js does. */
export const mutual = { "mutual TLS": { privateUrl: a.https, publicUrl: a.https, tlsSettings: tls } };

/** One request over a Unix socket: { status, json }. */
export const over = (socketPath, method, path, body) =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, headers: body ? { "content-type": "application/json" } : {} }, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode, text, json: () => JSON.parse(text) }));
    });
    call.on("error", reject);
    call.end(body && JSON.stringify(body));
  });

/** What a member gets for a hex id: { status, payload as hex }. */
export const receive = async (socket, hexId, raw = false) => {
  const id = encodeURIComponent(Buffer.from(hexId, "hex").toString("base64"));
  const answer = await over(socket, "GET", `/transaction/${id}?isRaw=${raw}`);
  return { status: answer.status, payload: answer.status === 200 ? Buffer.from(answer.json().payload, "base64").toString("hex") : undefined };
};

/**
 * Does what a GoQuorum node does with eth_sendRawPrivateTransaction: takes the id out of the signed transaction and has the
 * transaction manager distribute it. Mines everything at once. `seen` holds the ids.
 */
export const standInNode = async () => {
  const seen = [];
  const methods = {
    eth_sendRawPrivateTransaction: async ([raw, { privateFor, privacyFlag }]) => {
      const fields = decode(Buffer.from(raw.slice(2), "hex"));
      if (![0x25, 0x26].includes(fields[6][0])) throw new Error(`not marked private: v is ${fields[6].toString("hex")}`);
      const hash = fields[5].toString("base64");
      const answer = await over(a.socket, "POST", "/sendsignedtx", { hash, to: privateFor, privacyFlag });
      if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.text}`);
      seen.push(fields[5].toString("hex"));
      return `0x${"11".repeat(32)}`;
    },
    eth_getTransactionReceipt: async ([transactionHash]) => ({ transactionHash, status: "0x1", blockNumber: "0x1", logs: [] }),
    eth_chainId: async () => "0x539",
    net_version: async () => "1337",
  };
  const server = createServer((call, answer) => {
    let text = "";
    call.on("data", (part) => (text += part));
    call.on("end", async () => {
      const { id, method, params } = JSON.parse(text);
      const reply = { jsonrpc: "2.0", id };
      try {
        if (!methods[method]) throw new Error(`no such method: ${method}`);
        reply.result = await methods[method](params);
      } catch (error) {
        reply.error = { code: -32000, message: error.message };
      }
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify(reply));
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { url: `http://127.0.0.1:${server.address().port}`, seen, close: () => server.close() };
};

export const account = { privateKey: `0x${"4c".repeat(32)}` };
