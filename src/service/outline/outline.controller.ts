import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Allow, NotAChange } from '../access/allow.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound } from '../problems/problem.js';
import type { RuleControl } from '../rules/rule-control.js';
import { RULE_READING, RULES } from '../tokens.js';
import { OutlineDto, RuleTestsDto, RuleToOutlineDto, VocabularyDto } from './outline.dto.js';
import { outlineOf } from './outline.js';
import type { RuleReading } from './rule-reading.js';
import { vocabularyOf } from './vocabulary.js';

const FILE = 'pattern.yaml';

/** What editors of rules ask while one writes. */
@ApiTags('authoring')
@Controller('v1')
@Allow('viewer')
export class OutlineController {
  constructor(
    @Inject(RULE_READING) private readonly reading: RuleReading | null,
    @Inject(RULES) private readonly rules: RuleControl | null,
  ) {}

  @Post('automaton')
  @NotAChange('question')
  @HttpCode(200)
  @ApiOperation({
    summary: 'A rule as it is written: its steps, the automaton that it becomes, and what is wrong with it',
    description: 'Nothing is changed. Errors are no failure of the request: they are in `diagnostics`.',
  })
  @ApiOkResponse({ type: OutlineDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  automaton(@Body() body: RuleToOutlineDto): OutlineDto {
    const { text, file = FILE } = body ?? ({} as Partial<RuleToOutlineDto>);
    if (typeof text !== 'string' || typeof file !== 'string')
      throw invalidInput('The body must hold the rule.', [{ path: 'text', message: 'a text: the rule in YAML' }]);
    const { rule, diagnostics } = this.known().parse({ file, text });
    return outlineOf(rule, diagnostics);
  }

  @Get('vocabulary')
  @ApiOperation({ summary: 'What rules may name: fields of the streams, lists, functions' })
  @ApiOkResponse({ type: VocabularyDto })
  vocabulary(): VocabularyDto {
    const { streams, lists } = this.known();
    return vocabularyOf(streams, lists());
  }

  @Get('patterns/:id/tests')
  @ApiOperation({
    summary: "A pattern's own tests",
    description: 'Those that were published with it; else those beside it in the folder of patterns.',
  })
  @ApiOkResponse({ type: RuleTestsDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  async tests(@Param('id') id: string): Promise<RuleTestsDto> {
    const rule = this.rules?.rules.find((candidate) => candidate.id === id);
    if (rule === undefined) throw notFound('There is no pattern with this id.');
    const published = this.rules?.files.find(({ file }) => file === rule.source)?.tests;
    return { text: published ?? (await this.known().testsBeside(rule.source)) };
  }

  private known(): RuleReading {
    if (this.reading === null) throw notFound('This process does not know what rules are checked against.');
    return this.reading;
  }
}
