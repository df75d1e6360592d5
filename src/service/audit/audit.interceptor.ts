import {
  type CallHandler,
  type ExecutionContext,
  HttpException,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, tap } from 'rxjs';
import { NO_CHANGE, type NoChange } from '../access/allow.js';
import { type Principal, principalOf } from '../access/principal.js';
import { Problem } from '../problems/problem.js';
import { AuditTrail } from './audit-trail.js';

const DETAIL_MAX = 1000;

/** Writes down every change that was asked for over HTTP, and what came of it. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    @Inject(AuditTrail) private readonly trail: AuditTrail,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const principal = principalOf(request);
    const isChange = this.reflector.get<NoChange | undefined>(NO_CHANGE, context.getHandler()) === undefined;
    if (onlyReads(request) || !isChange || principal === undefined) return next.handle();
    const keep = (status: number, detail: string): void =>
      this.trail.record({ ...asked(request, principal), status, detail: detail.slice(0, DETAIL_MAX) });
    return next.handle().pipe(
      tap({
        next: () => keep(http.getResponse<FastifyReply>().statusCode, reasonIn(request)),
        error: (error: unknown) => keep(statusOf(error), problemIn(error)),
      }),
    );
  }
}

/** Of a question without a body in its answer too. */
export const onlyReads = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD';

/** What an entry says of the request. */
export function asked(request: FastifyRequest, principal: Principal) {
  const { role, by } = principal;
  const { author } = sentBy(request);
  const [path] = request.url.split('?');
  return { author: principal.signs(author), role, by, action: `${request.method} ${path}`, address: request.ip };
}

const statusOf = (error: unknown): number => (error instanceof HttpException ? error.getStatus() : 500);

const problemIn = (error: unknown): string =>
  error instanceof Problem ? `${error.body.code}: ${error.body.detail}` : 'failed';

function reasonIn(request: FastifyRequest): string {
  const { message, reason: given, note } = sentBy(request);
  const reason = message ?? given ?? note;
  return typeof reason === 'string' ? reason : '';
}

/** What is said beside the change itself. A whole list as a body is no such thing, and may be large. */
function sentBy({ query, body }: FastifyRequest): Readonly<Record<string, unknown>> {
  const isPlain = typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype;
  const { author, message, reason, note } = (isPlain ? body : {}) as Record<string, unknown>;
  const asked = query as Record<string, unknown>;
  return { author: author ?? asked.author, message: message ?? asked.message, reason, note };
}
