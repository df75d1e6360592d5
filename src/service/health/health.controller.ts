import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Allow } from '../access/allow.js';
import { type Check, type Health, HealthChecks } from './health.js';

export class CheckDto implements Check {
  @ApiProperty({ type: String, example: 'log' })
  readonly name!: string;

  @ApiProperty({ type: Boolean })
  readonly ok!: boolean;

  @ApiProperty({ type: String })
  readonly detail!: string;
}

export class HealthDto implements Health {
  @ApiProperty({ type: Boolean })
  readonly ok!: boolean;

  @ApiProperty({ type: [CheckDto] })
  readonly checks!: readonly CheckDto[];
}

@ApiTags('health')
@ApiResponse({ status: 503, type: HealthDto })
@Controller('health')
@Allow('public')
export class HealthController {
  constructor(@Inject(HealthChecks) private readonly checks: HealthChecks) {}

  @Get('live')
  @ApiOperation({ summary: 'Not 200: replace this process' })
  @ApiOkResponse({ type: HealthDto })
  live(@Res({ passthrough: true }) reply: FastifyReply): HealthDto {
    return answer(reply, this.checks.live());
  }

  @Get('ready')
  @ApiOperation({ summary: 'Detection runs, its state is restored, and the log answers' })
  @ApiOkResponse({ type: HealthDto })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthDto> {
    return answer(reply, await this.checks.ready());
  }

  @Get('started')
  @ApiOperation({ summary: 'Detection has come up and its state is restored' })
  @ApiOkResponse({ type: HealthDto })
  started(@Res({ passthrough: true }) reply: FastifyReply): HealthDto {
    return answer(reply, this.checks.started());
  }
}

function answer(reply: FastifyReply, health: Health): HealthDto {
  reply.status(health.ok ? 200 : 503).header('cache-control', 'no-store');
  return health;
}
