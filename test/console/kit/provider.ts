/** A real OpenID provider, with its own pages: names are as one likes, and `ann` is an analyst. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

export const AUDIENCE = 'https://stakeout.example';
export const CLIENT = 'console';

export class SignInPages {
  private constructor(
    readonly issuer: string,
    private readonly server: Server,
  ) {}

  static async start(): Promise<SignInPages> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SignInPages(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
  }

  /** The console is a public client of it, at this address. */
  async serve(consoleUrl: string): Promise<void> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const home = `${consoleUrl}/`;
    const provider = new Provider(this.issuer, {
      clients: [
        {
          ...{ client_id: CLIENT, token_endpoint_auth_method: 'none', response_types: ['code'] },
          grant_types: ['authorization_code', 'refresh_token'],
          ...{ redirect_uris: [home], post_logout_redirect_uris: [home] },
        },
      ],
      jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] },
      clientBasedCORS: (_context, origin) => origin === consoleUrl,
      issueRefreshToken: () => true,
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      features: {
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({
            ...{ scope: '', audience: AUDIENCE, accessTokenFormat: 'jwt', accessTokenTTL: 600 },
          }),
        },
      },
      extraTokenClaims: (_context, token) => {
        const { accountId = '' } = token as { readonly accountId?: string };
        return { preferred_username: accountId, roles: accountId === 'ann' ? ['analyst'] : [] };
      },
    } as ConstructorParameters<typeof Provider>[1]);
    this.server.on('request', provider.callback());
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
