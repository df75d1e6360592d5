import { ApiProperty } from '@nestjs/swagger';
import { DiagnosticDto } from '../problems/diagnostic.dto.js';
import { RuleFileDto } from '../rules/rules.dto.js';
import type { Checked, CheckedRule, RanTests } from './authoring.js';

export class ValidateDto {
  @ApiProperty({ type: [RuleFileDto] })
  readonly files!: readonly RuleFileDto[];
}

export class CheckedRuleDto implements CheckedRule {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly file!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ type: String })
  readonly status!: string;

  @ApiProperty({ type: String })
  readonly key!: string;

  @ApiProperty({ type: String })
  readonly revision!: string;
}

export class CheckedDto implements Checked {
  @ApiProperty({ type: [DiagnosticDto] })
  readonly errors!: readonly DiagnosticDto[];

  @ApiProperty({ type: [DiagnosticDto] })
  readonly warnings!: readonly DiagnosticDto[];

  @ApiProperty({ type: [CheckedRuleDto], description: 'Those without errors.' })
  readonly rules!: readonly CheckedRuleDto[];
}

export class RunTestsDto {
  @ApiProperty({ type: String, description: 'The rule, in YAML.' })
  readonly yaml!: string;

  @ApiProperty({ type: String, description: 'Its tests, as in a tests.yaml.' })
  readonly tests!: string;
}

export class TestFailureDto {
  @ApiProperty({ type: String })
  readonly rule!: string;

  @ApiProperty({ type: String })
  readonly test!: string;

  @ApiProperty({ type: String })
  readonly file!: string;

  @ApiProperty({ type: Number, description: 'In the tests.' })
  readonly line!: number;

  @ApiProperty({ type: String, description: 'One difference a line.' })
  readonly message!: string;

  @ApiProperty({ type: String, description: 'All of it, as `stakeout test` says it.' })
  readonly text!: string;
}

export class RanTestsDto implements RanTests {
  @ApiProperty({ type: Number })
  readonly passed!: number;

  @ApiProperty({ type: Number })
  readonly failed!: number;

  @ApiProperty({ type: [TestFailureDto] })
  readonly failures!: readonly TestFailureDto[];

  @ApiProperty({ type: [DiagnosticDto], description: 'Of the rule and of the tests.' })
  readonly errors!: readonly DiagnosticDto[];

  @ApiProperty({ type: [DiagnosticDto] })
  readonly warnings!: readonly DiagnosticDto[];
}
