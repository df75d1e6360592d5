import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { SignInProvider } from '../access/sign-in.js';

/** What `npm run build` makes of `src/console`. */
export const CONSOLE_FOLDER = fileURLToPath(new URL('../../../dist/console', import.meta.url));

/**
 * Everything comes from here, and nothing is written into the page: no script or style that an alert could smuggle in runs. Where one
 * signs in with an OpenID provider, the page may ask that one too, and nobody else.
 */
export function consolePolicy(provider: SignInProvider | null): string {
  const asked = provider === null ? '' : ` ${new URL(provider.issuer).origin}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self'${asked}`,
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const headersWith = (policy: string) => ({
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
});

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>stakeout</title>
<h1>The console is not built</h1>
<p>Run <code>npm run build</code>, and start the service again. The API is at <a href="docs">docs</a>.</p>
</html>
`;

/** Serves the console at `/`. Its files are read from the disk; those with a hash in their name may be kept for ever. */
export function serveConsole(
  app: NestFastifyApplication,
  provider: SignInProvider | null,
  folder = CONSOLE_FOLDER,
): void {
  const headers = headersWith(consolePolicy(provider));
  if (!existsSync(join(folder, 'index.html'))) {
    app
      .getHttpAdapter()
      .getInstance()
      .get('/', (_request, reply) => reply.headers(headers).type('text/html; charset=utf-8').send(NOT_BUILT));
    return;
  }
  const options = {
    root: folder,
    prefix: '/',
    // A route for each file: any other address stays unknown, and is answered as such.
    wildcard: false,
    globIgnore: ['**/*.br', '**/*.gz'],
    preCompressed: true,
    decorateReply: false,
    cacheControl: false,
    setHeaders(reply: FastifyReply, path: string) {
      for (const [name, value] of Object.entries(headers)) reply.header(name, value);
      const isHashed = /[\\/]assets[\\/]/.test(path);
      reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  };
  // Nest's own type of these options is that of an earlier version of @fastify/static.
  app.useStaticAssets(options as unknown as Parameters<typeof app.useStaticAssets>[0]);
}
