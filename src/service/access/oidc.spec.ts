import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import Provider from 'oidc-provider';
import { someSettings } from '../testing/a-service.js';
import { Access } from './access.js';

const AUDIENCE = 'https://stakeout.example';

let server: Server;
let issuer: string;
type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
let privateKey: PrivateKey;
let stolenKey: PrivateKey;

/** A real provider that gives machine clients tokens as JWTs; what is in them beside is up to the test. */
beforeAll(async () => {
  // It warns that it is not set up for production.
  for (const say of ['warn', 'info'] as const) jest.spyOn(console, say).mockImplementation(() => undefined);
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pair = await generateKeyPair('RS256', { extractable: true });
  privateKey = pair.privateKey;
  stolenKey = (await generateKeyPair('RS256')).privateKey;
  const jwk = { ...(await exportJWK(privateKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'robot',
        client_secret: 'secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    jwks: { keys: [jwk] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'fraud',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 60,
        }),
      },
    },
    extraTokenClaims: () => ({ realm_access: { roles: ['fraud-analysts', 'staff'] } }),
  } as ConstructorParameters<typeof Provider>[1]);
  server.on('request', provider.callback());
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const access = (over: object = {}) =>
  new Access(
    someSettings({
      access: {
        oidc: {
          ...{ issuer, audience: AUDIENCE, rolesClaim: 'realm_access.roles', analyst: ['fraud-analysts'] },
          ...over,
        },
      },
    }).access,
    { now: () => 0, onChange: () => undefined },
  );
const principalOf = (token: string, over: object = {}) =>
  access(over).principalOf({ authorization: `Bearer ${token}` });

async function providersToken(): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('robot:secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE, scope: 'fraud' }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

const signed = (claims: object = {}, more: { key?: PrivateKey; alg?: string; expires?: number } = {}) =>
  new SignJWT({
    ...{
      iss: issuer,
      aud: AUDIENCE,
      sub: 's1',
      preferred_username: 'ann',
      realm_access: { roles: ['fraud-analysts'] },
    },
    ...claims,
  })
    .setProtectedHeader({ alg: more.alg ?? 'RS256', kid: 'k1' })
    .setExpirationTime(Math.floor(Date.now() / 1000) + (more.expires ?? 60))
    .sign(more.key ?? privateKey);

describe('tokens of an OpenID provider', () => {
  it('tell who asks, as the provider gives them', async () => {
    expect(await principalOf(await providersToken())).toMatchObject({ name: 'robot', role: 'analyst', by: 'token' });
  });

  it('give the highest of their roles, and a name', async () => {
    const token = await signed({ realm_access: { roles: ['viewer', 'operator', 'fraud-analysts'] } });
    expect(await principalOf(token)).toMatchObject({ name: 'ann', role: 'operator' });
    const spaced = await signed({ scope: 'openid fraud-analysts' });
    expect(await principalOf(spaced, { rolesClaim: 'scope', nameClaim: 'sub' })).toMatchObject({
      name: 's1',
      role: 'analyst',
    });
  });

  it.each<[what: string, token: () => Promise<string> | string]>([
    ['is of another provider', () => signed({ iss: 'https://elsewhere.example' })],
    ['is for someone else', () => signed({ aud: 'another' })],
    ['has expired', () => signed({}, { expires: -120 })],
    ['is signed with a key that is not the provider’s', () => signed({}, { key: stolenKey })],
    [
      'is not signed',
      () => new UnsecuredJWT({ iss: issuer, aud: AUDIENCE, sub: 'x' }).setExpirationTime('1h').encode(),
    ],
    ['gives no role', () => signed({ realm_access: { roles: ['staff'] } })],
    [
      'was changed',
      async () => (await signed()).replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"x"}').toString('base64url')}.`),
    ],
    ['is none', () => 'a.b.c'],
  ])('are nobody’s when one %s', async (_, token) => {
    expect(await principalOf(await token())).toBe(null);
  });

  it('are not taken for nobody’s where the provider is away, or is another', async () => {
    const token = await signed();
    await expect(principalOf(token, { issuer: 'http://127.0.0.1:1' })).rejects.toMatchObject({ code: 'OIDC_AWAY' });
    await expect(principalOf(token, { issuer: `${issuer}/` })).rejects.toMatchObject({
      message: expect.stringContaining('write access.oidc.issuer as it does'),
    });
  });
});
