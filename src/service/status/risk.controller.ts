import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { RiskAlert } from '../../connectors/redis/redis-sink.js';
import type { Severity } from '../../rules/rule.js';
import { Allow } from '../access/allow.js';
import { KeyNames } from '../access/key-names.js';
import type { RiskReader } from '../parts.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { notFound, unavailable } from '../problems/problem.js';
import { time } from '../schema-parts.js';
import { RISK } from '../tokens.js';

export class RiskAlertDto implements RiskAlert {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly patternId!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ enum: ['low', 'medium', 'high', 'critical'] })
  readonly severity!: Severity;

  @ApiProperty({ type: Number })
  readonly score!: number;

  @ApiProperty(time)
  readonly detectedAt!: number;

  @ApiProperty({ type: String })
  readonly message!: string;
}

export class RiskDto {
  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: Number, minimum: 0, maximum: 100, description: '0 without alerts.' })
  readonly score!: number;

  @ApiProperty({ type: Number, description: 'Alerts since the risk is kept.' })
  readonly count!: number;

  @ApiProperty({ type: Number, format: 'int64', nullable: true, description: 'Milliseconds since 1970.' })
  readonly lastAlertAt!: number | null;

  @ApiProperty({ type: [RiskAlertDto], description: 'Newest first.' })
  readonly alerts!: readonly RiskAlertDto[];
}

@ApiTags('risk')
@Controller('v1/risk')
@Allow('analyst')
export class RiskController {
  constructor(
    @Inject(RISK) private readonly risk: RiskReader | null,
    @Inject(KeyNames) private readonly keys: KeyNames,
  ) {}

  @Get(':key')
  @ApiOperation({ summary: 'The risk of an account, as Redis has it' })
  @ApiQuery({
    name: 'field',
    required: false,
    type: String,
    description: "Field the key is of, where it is not the stream's own",
  })
  @ApiOkResponse({ type: RiskDto })
  @ApiResponse({ status: 404, type: ProblemDto, description: 'There is no Redis in this installation.' })
  @ApiResponse({ status: 503, type: ProblemDto, description: 'Redis does not answer.' })
  async one(@Param('key') key: string, @Query('field') field: string | undefined): Promise<RiskDto> {
    if (this.risk === null) throw notFound('This installation has no Redis; set redis.url.');
    let known: Awaited<ReturnType<RiskReader['readRisk']>>;
    try {
      const of = field === '' ? undefined : field;
      const pseudonym = this.keys.pseudonymOf(key);
      known = await this.risk.readRisk(key, of);
      if (known === null && pseudonym !== undefined) known = await this.risk.readRisk(pseudonym, of);
    } catch (cause) {
      throw unavailable('REDIS_AWAY', 'Redis does not answer.', cause);
    }
    if (known === null) return { key, score: 0, count: 0, lastAlertAt: null, alerts: [] };
    const { score, count, lastAlertAt, alerts } = known;
    return { key, score, count, lastAlertAt, alerts };
  }
}
