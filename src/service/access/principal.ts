import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** What someone may do; each may all that those before it may. */
export const ROLES = ['viewer', 'analyst', 'approver', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. */
export class Principal {
  constructor(
    readonly name: string,
    readonly role: Role,
    /** How it is known who it is; `none`: nobody has to say. */
    readonly by: 'none' | 'key' | 'token',
  ) {}

  may(role: Role): boolean {
    return ROLES.indexOf(this.role) >= ROLES.indexOf(role);
  }

  /** Under which name a change is kept. `claimed` counts where nobody has to say who they are. */
  signs(claimed: unknown): string {
    const name = typeof claimed === 'string' ? claimed.trim() : '';
    return this.by === 'none' && name !== '' ? name : this.name;
  }
}

/** Where nobody has to say who they are, everyone may everything. */
export const ANYONE = new Principal('anonymous', 'operator', 'none');

const principals = new WeakMap<object, Principal>();

export const principalOf = (request: FastifyRequest): Principal => principals.get(request.raw) ?? ANYONE;

export const setPrincipal = (request: FastifyRequest, principal: Principal): void =>
  void principals.set(request.raw, principal);

/** Parameter of a handler: who asks. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) =>
  principalOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
