import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logging/logger.js';
import { spanOf } from '../tracing/request-spans.js';
import { traceFields } from '../tracing/traceparent.js';
import { Problem, type ProblemBody, problemBody } from './problem.js';

/** Every failed request is answered as `application/problem+json`. What we did not foresee is logged, and its text kept from the client. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    // Handlers of alerts have filters of their own.
    if (host.getType() !== 'http') throw error;
    const body = this.bodyOf(error);
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    if (body.status >= 500) {
      const trace = traceFields(spanOf(http.getRequest<FastifyRequest>())?.spanContext());
      this.logger.warn({ err: causeOf(error), code: body.code, ...trace }, 'request failed');
    }
    if (body.status === 503) reply.header('retry-after', '1');
    reply.status(body.status).type('application/problem+json').send(JSON.stringify(body));
  }

  private bodyOf(error: unknown): ProblemBody {
    if (error instanceof Problem) return error.body;
    if (error instanceof HttpException) return problemBody(error.getStatus(), 'REQUEST_REFUSED', error.message);
    // Fastify's own errors (a body that is too large, JSON that does not hold) carry their status.
    const { statusCode, code, message } = error as { statusCode?: unknown; code?: unknown; message?: unknown };
    if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
      return problemBody(statusCode, typeof code === 'string' ? code : 'REQUEST_REFUSED', String(message));
    }
    return problemBody(500, 'INTERNAL', 'Something went wrong here; the log has the details.');
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Problem ? (error.cause ?? error) : error;
}
