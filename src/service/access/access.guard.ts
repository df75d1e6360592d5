import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Role, Settings } from '../../runtime/settings/index.js';
import { asked, onlyReads } from '../audit/audit.interceptor.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Problem, problemBody, unavailable } from '../problems/problem.js';
import { SETTINGS } from '../tokens.js';
import { Access } from './access.js';
import { ALLOWED, type Allowed } from './allow.js';
import { ProviderAwayError } from './oidc.js';
import { type Principal, setPrincipal } from './principal.js';

/**
 * Lets nobody through who may not. A handler says whom it is for (`Allow`); one that does not is for nobody.
 *
 * Publishing rules (`author`) is for analysts where someone else must approve of it, else for approvers.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly authors: Role;

  constructor(
    @Inject(Access) private readonly access: Access,
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(AuditTrail) private readonly trail: AuditTrail,
    @Inject(SETTINGS) settings: Settings,
  ) {
    this.authors = settings.rules.approval ? 'analyst' : 'approver';
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Handlers of alerts are called by the service itself.
    if (context.getType() !== 'http') return true;
    const targets = [context.getHandler(), context.getClass()];
    const allowed = this.reflector.getAllAndOverride<Allowed | undefined>(ALLOWED, targets);
    if (allowed === 'public') return true;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const principal = await this.knownBy(request);
    if (principal === null) {
      void http.getResponse<FastifyReply>().header('www-authenticate', 'Bearer realm="stakeout"');
      throw new Problem(problemBody(401, 'UNAUTHENTICATED', 'Send an API key or a token: Authorization: Bearer …'));
    }
    setPrincipal(request, principal);
    if (!this.isAllowed(principal, allowed)) {
      const problem = forbidden(principal, allowed, this.authors);
      if (!onlyReads(request))
        this.trail.record({ ...asked(request, principal), status: 403, detail: problem.body.detail });
      throw problem;
    }
    return true;
  }

  private isAllowed(principal: Principal, allowed: Allowed | undefined): boolean {
    const { by } = principal;
    if (by === 'none') return true;
    if (allowed === undefined || allowed === 'public') return false;
    if (allowed === 'peer') return by === 'peer';
    // Instances ask each other what they need, and nothing else.
    return by !== 'peer' && principal.may(allowed === 'author' ? this.authors : allowed);
  }

  private async knownBy(request: FastifyRequest): Promise<Principal | null> {
    const { authorization, 'x-api-key': key } = request.headers;
    try {
      return await this.access.principalOf({ authorization, apiKey: typeof key === 'string' ? key : undefined });
    } catch (cause) {
      if (cause instanceof ProviderAwayError)
        throw unavailable('OIDC_AWAY', 'The OpenID provider does not answer.', cause);
      throw cause;
    }
  }
}

function forbidden({ role }: Principal, allowed: Allowed | undefined, authors: Role): Problem {
  const needed = allowed === 'author' ? authors : (allowed ?? 'nobody');
  const detail = `This is for the role ${needed}${needed === 'viewer' || needed === 'peer' ? '' : ' or a higher one'}; yours is ${role}.`;
  return new Problem(problemBody(403, 'FORBIDDEN', detail));
}
