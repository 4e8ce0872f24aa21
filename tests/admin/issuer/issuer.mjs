// A real OpenID Connect issuer on loopback. The test speaks to it over HTTP as any client does; standard input takes what an honest
// issuer never does: {"rotate": true} changes its keys, {"forge": {…}} signs what it is told to.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { base64url, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const people = JSON.parse(process.argv[3]);
const kinds = { ES256: {}, RS256: {}, PS256: {}, EdDSA: { crv: 'Ed25519' } };

let keys;
let handler;

async function pair(alg, kid) {
  const made = await generateKeyPair(alg, { extractable: true, ...kinds[alg] });
  return { ...made, alg, kid, jwk: { ...(await exportJWK(made.privateKey)), alg, kid, use: 'sig' } };
}

async function begin(generation) {
  keys = Object.fromEntries(await Promise.all(Object.keys(kinds).map(async (alg) => [alg, await pair(alg, `${alg}-${generation}`)])));
  const provider = new Provider(issuer, {
    jwks: { keys: Object.values(keys).map((key) => key.jwk) },
    clients: Object.keys(people).map((name) => ({
      client_id: name,
      client_secret: `${name}-secret`,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
    })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_, resource) {
          const [, , audience, alg] = resource.split(':');
          return { scope: '', audience, accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg } } };
        },
      },
    },
    extraTokenClaims: (_, token) => people[token.clientId],
  });
  handler = provider.callback();
}

const encode = (value) => base64url.encode(JSON.stringify(value));

/** A token with these claims: `sign` says how; `header` is laid over the honest one. */
async function forge({ sign, claims, header = {} }) {
  const key = keys.ES256;
  if (sign === 'issuer') return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header }).sign(key.privateKey);
  if (sign === 'stranger') {
    const own = await pair('ES256', key.kid);
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header }).sign(own.privateKey);
  }
  if (sign === 'embedded') {
    const own = await pair('ES256', 'mine');
    const jwk = await exportJWK(own.publicKey);
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid, jwk, ...header }).sign(own.privateKey);
  }
  if (sign === 'none') return `${encode({ alg: 'none', kid: key.kid, ...header })}.${encode(claims)}.`;
  if (sign === 'hmac') {
    const text = `${encode({ alg: 'HS256', kid: keys.RS256.kid, ...header })}.${encode(claims)}`;
    return `${text}.${createHmac('sha256', await exportSPKI(keys.RS256.publicKey)).update(text).digest('base64url')}`;
  }
  throw new Error(`no way to sign: ${sign}`);
}

await begin(0);
createServer((request, response) => handler(request, response)).listen(port, '127.0.0.1', () => console.log('"ready"'));
let generation = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.rotate) {
    generation += 1;
    await begin(generation);
    console.log('"rotated"');
  } else {
    console.log(JSON.stringify(await forge(asked.forge)));
  }
}
process.exit(0);
