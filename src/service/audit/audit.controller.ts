import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { AuditEntry, AuditLog } from '../../runtime/ports/audit-log.js';
import { Allow } from '../access/allow.js';
import { ApiPage, checkQuery, PageDto, pageFrom, pageShape } from '../paging/page.js';
import { momentText } from '../problems/check-body.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { unavailable } from '../problems/problem.js';
import { time } from '../schema-parts.js';
import { AUDIT } from '../tokens.js';
import { AuditTrail } from './audit-trail.js';

export class AuditEntryDto implements AuditEntry {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty(time)
  readonly at!: number;

  @ApiProperty({ type: String })
  readonly author!: string;

  @ApiProperty({ type: String })
  readonly role!: string;

  @ApiProperty({
    enum: ['none', 'key', 'token'],
    description: 'How it is known who it was; none: nobody has to log in.',
  })
  readonly by!: string;

  @ApiProperty({ type: String, example: 'POST /v1/rules/apply' })
  readonly action!: string;

  @ApiProperty({ type: Number, description: 'What was answered; 403: it was not allowed.' })
  readonly status!: number;

  @ApiProperty({ type: String, description: 'Why, as they said; else what was wrong.' })
  readonly detail!: string;

  @ApiProperty({ type: String, description: 'Where the request came from.' })
  readonly address!: string;
}

export class AuditPageDto extends PageDto {
  @ApiProperty({ type: [AuditEntryDto], description: 'Newest first.' })
  readonly items!: readonly AuditEntryDto[];
}

const auditQuery = z.strictObject({
  author: z.string().min(1).optional(),
  from: momentText.optional(),
  to: momentText.optional(),
  ...pageShape,
});

@ApiTags('access')
@Controller('v1/audit')
@Allow('approver')
export class AuditController {
  constructor(
    @Inject(AUDIT) private readonly log: AuditLog,
    @Inject(AuditTrail) private readonly trail: AuditTrail,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Who changed what over HTTP, and who was not let; the newest first' })
  @ApiQuery({ name: 'author', required: false, type: String })
  @ApiQuery({ name: 'from', required: false, type: String, description: 'ISO 8601, or milliseconds since 1970' })
  @ApiQuery({ name: 'to', required: false, type: String })
  @ApiPage()
  @ApiOkResponse({ type: AuditPageDto })
  @ApiResponse({ status: 503, type: ProblemDto })
  async list(@Query() query: unknown): Promise<AuditPageDto> {
    const { limit, cursor, ...filter } = checkQuery(auditQuery, query);
    try {
      await this.trail.flush();
      await this.log.open();
      const found = await this.log.list(filter, limit + 1, cursor ?? null);
      return pageFrom(found, limit, ({ at, id }) => ({ at, id }));
    } catch (cause) {
      throw unavailable('AUDIT_AWAY', 'The store of the audit trail does not answer.', cause);
    }
  }
}
