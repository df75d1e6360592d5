import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { TestStream } from '../../rules/index.js';
import { Allow, NotAChange } from '../access/allow.js';
import { checkBody } from '../problems/check-body.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { notFound } from '../problems/problem.js';
import type { RuleControl } from '../rules/rule-control.js';
import { RULES, TEST_STREAMS } from '../tokens.js';
import { CheckedDto, RanTestsDto, RunTestsDto, ValidateDto } from './authoring.dto.js';
import { checkRules, runTests } from './authoring.js';

const FILES_MAX = 10_000;
const files = z
  .array(z.strictObject({ file: z.string().min(1), text: z.string() }))
  .min(1)
  .max(FILES_MAX);
const validate = z.strictObject({ files });
const run = z.strictObject({ yaml: z.string(), tests: z.string() });

/** For those who write rules: nothing here changes anything. */
@ApiTags('rules')
@Controller('v1')
@Allow('viewer')
export class AuthoringController {
  constructor(
    @Inject(RULES) private readonly rules: RuleControl | null,
    @Inject(TEST_STREAMS) private readonly streams: readonly TestStream[],
  ) {}

  @Post('validate')
  @NotAChange('question')
  @HttpCode(200)
  @ApiOperation({ summary: 'Errors and warnings of rules, with their places' })
  @ApiOkResponse({ type: CheckedDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  check(@Body() body: ValidateDto): Promise<CheckedDto> {
    const sent = checkBody(validate, body);
    return checkRules(this.control(), sent.files, true);
  }

  @Post('test')
  @NotAChange('question')
  @HttpCode(200)
  @ApiOperation({ summary: "Runs a rule's own tests" })
  @ApiOkResponse({ type: RanTestsDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  test(@Body() body: RunTestsDto): Promise<RanTestsDto> {
    const { yaml, tests } = checkBody(run, body);
    const [rule, rows] = [
      { file: 'pattern.yaml', text: yaml },
      { file: 'tests.yaml', text: tests },
    ];
    return runTests(this.control(), rule, rows, this.streams);
  }

  private control(): RuleControl {
    if (this.rules === null) throw notFound('This process has no rules to compare with.');
    return this.rules;
  }
}
