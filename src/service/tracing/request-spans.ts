import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Traces } from './traces.js';

type Traced = { [SPAN]?: Span };
const SPAN = Symbol('span');

/** `undefined`: requests are not traced, or this one is not. */
export const spanOf = ({ raw }: FastifyRequest): Span | undefined => (raw as Traced)[SPAN];

/**
 * One span for each request of the API, child of the caller's. It is named after the route, not the path, in which there may be accounts.
 * Names and attributes are those of OpenTelemetry's semantic conventions for HTTP servers.
 */
export function addRequestSpans(server: FastifyInstance, traces: Traces): void {
  server
    .addHook('onRequest', (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
      const route = request.routeOptions.url;
      // Probes and scrapes come every few seconds, and files of the console say nothing.
      if (route?.startsWith('/v1/') === true) {
        const { method, headers } = request;
        const attributes = { 'http.request.method': method, 'http.route': route };
        const sent = headers.traceparent;
        const traceparent = typeof sent === 'string' ? sent : null;
        (request.raw as Traced)[SPAN] = traces.span(`${method} ${route}`, SpanKind.SERVER, attributes, traceparent);
      }
      done();
    })
    .addHook('onResponse', (request: FastifyRequest, { statusCode }: FastifyReply, done: () => void) => {
      const span = spanOf(request);
      span?.setAttribute('http.response.status_code', statusCode);
      if (statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
      done();
    });
}
