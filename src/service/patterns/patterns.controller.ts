import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Step } from '../../engine/pattern/pattern.js';
import type { Rule, RuleStatus, Severity } from '../../rules/rule.js';
import { StakeoutStrategy } from '../detection/index.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { notFound } from '../problems/problem.js';

export class PatternDto {
  @ApiProperty({ type: String, example: 'offshore-drain' })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ type: String, nullable: true })
  readonly description!: string | null;

  @ApiProperty({ enum: ['draft', 'shadow', 'live', 'retired'] })
  readonly status!: RuleStatus;

  @ApiProperty({ type: String, example: 'accountId', description: 'Field that events are grouped by.' })
  readonly key!: string;

  @ApiProperty({ enum: ['low', 'medium', 'high', 'critical'] })
  readonly severity!: Severity;

  @ApiProperty({ type: Number, nullable: true, description: 'Null: each alert has one of its own.' })
  readonly score!: number | null;

  @ApiProperty({ type: [String], description: 'Names of its steps, in order; those of a group among them.' })
  readonly steps!: readonly string[];

  @ApiProperty({ type: Number, nullable: true, description: 'Window of the whole match, milliseconds.' })
  readonly withinMs!: number | null;

  @ApiProperty({ type: [String] })
  readonly tags!: readonly string[];

  @ApiProperty({ type: String, description: 'Hash of its meaning.' })
  readonly revision!: string;

  @ApiProperty({ type: Number, description: 'Matches that this process found since its start.' })
  readonly matches!: number;
}

export class PatternListDto {
  @ApiProperty({ type: [PatternDto] })
  readonly patterns!: readonly PatternDto[];
}

@ApiTags('patterns')
@Controller('patterns')
export class PatternsController {
  constructor(@Inject(StakeoutStrategy) private readonly strategy: StakeoutStrategy) {}

  @Get()
  @ApiOperation({ summary: 'The patterns that are loaded' })
  @ApiOkResponse({ type: PatternListDto })
  list(): PatternListDto {
    return { patterns: this.strategy.rules().map((rule) => this.describe(rule)) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One pattern' })
  @ApiOkResponse({ type: PatternDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  one(@Param('id') id: string): PatternDto {
    const rule = this.strategy.rules().find((candidate) => candidate.id === id);
    if (rule === undefined) throw notFound('No pattern with this id is loaded.');
    return this.describe(rule);
  }

  private describe(rule: Rule): PatternDto {
    const { id, title, status, key, tags, revision, alert, pattern } = rule;
    return {
      ...{ id, title, description: rule.description ?? null, status, key },
      ...{ severity: alert.severity, score: typeof alert.score === 'number' ? alert.score : null },
      steps: stepNames(pattern.steps),
      withinMs: pattern.withinMs ?? null,
      ...{ tags, revision },
      matches: this.strategy.detectorStatus()?.matches.get(id) ?? 0,
    };
  }
}

function stepNames(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => (step.kind === 'group' ? stepNames(step.steps) : [step.name]));
}
