import type { IncomingMessage, ServerResponse } from 'node:http';
import rateLimit from '@fastify/rate-limit';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import helmet from 'helmet';
import type { Settings } from '../../runtime/settings/index.js';

import { hashOfKey } from './api-keys.js';

/** What the API answers is data: no browser is to run or show anything of it. */
const API_POLICY = {
  'default-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** The page to try the API brings scripts and styles of its own, some of them in the page. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A report is one file with its script and style in it. It runs apart from this origin, and reaches nothing. */
const REPORT_POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads";

/** Security headers on every answer, and a bound on how much one caller may ask. */
export async function addWebSecurity(app: NestFastifyApplication, { http }: Settings): Promise<void> {
  if (http.rateLimit > 0) {
    await app.register(rateLimit as unknown as Parameters<typeof app.register>[0], {
      max: http.rateLimit,
      timeWindow: 60_000,
      cache: 10_000,
      keyGenerator: callerOf,
      allowList: (request: FastifyRequest) => /^\/(health|metrics)\b/.test(request.url),
      errorResponseBuilder: (_request: FastifyRequest, { after }: { readonly after: string }) =>
        Object.assign(new Error(`Too many requests: ask again in ${after}.`), { statusCode: 429, code: 'TOO_MANY' }),
    });
  }
  const headers = securityHeaders();
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      void reply.headers(headers);
      const policy = policyOf(request.url);
      if (policy !== null) void reply.header('content-security-policy', policy);
      if (request.url.startsWith('/v1/')) void reply.header('cache-control', 'no-store');
      done();
    });
}

/**
 * What helmet sets on an answer, which is the same on each, and so is made once: made anew for each request it is a third of what a decision
 * allocates, and most of what collections of young objects have to copy.
 */
function securityHeaders(): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  const answer = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => undefined,
  };
  const set = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: API_POLICY },
    referrerPolicy: { policy: 'no-referrer' },
    // Where TLS ends, there it is said that there is no way without.
    strictTransportSecurity: false,
  });
  set({} as IncomingMessage, answer as unknown as ServerResponse, (error) => {
    if (error !== undefined) throw error;
  });
  return headers;
}

function policyOf(url: string): string | null {
  if (/^\/docs\b/.test(url)) return DOCS_POLICY;
  return /^\/v1\/backtests\/[^/]+\/report\b/.test(url) ? REPORT_POLICY : null;
}

/** Who brings a credential is told apart by it, whether it holds or not; others by their address. */
function callerOf({ headers, ip }: FastifyRequest): string {
  const credential = headers['x-api-key'] ?? headers.authorization;
  return typeof credential === 'string' ? hashOfKey(credential) : ip;
}
