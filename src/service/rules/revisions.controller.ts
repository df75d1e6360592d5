import { Body, Controller, Get, HttpCode, Inject, Param, ParseIntPipe, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Allow } from '../access/allow.js';
import { Caller, type Principal } from '../access/principal.js';
import { ApiPage, pageOf, readPageQuery } from '../paging/page.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { notFound } from '../problems/problem.js';
import { RULES } from '../tokens.js';
import { detailOf, entriesOf } from './revision-view.js';
import { RevisionDetailDto, RevisionPageDto } from './revisions.dto.js';
import type { RuleControl } from './rule-control.js';
import { AppliedDto, RollbackDto, SignatureDto } from './rules.dto.js';
import { answered, signatureOf } from './signed.js';

@ApiTags('rules')
@Controller('v1')
@Allow('viewer')
export class RevisionsController {
  constructor(@Inject(RULES) private readonly rules: RuleControl | null) {}

  @Get('revisions')
  @ApiOperation({ summary: 'All that was published, by whom, when and why; the newest first' })
  @ApiPage()
  @ApiOkResponse({ type: RevisionPageDto })
  revisions(@Query() query: unknown): RevisionPageDto {
    return pageOf(entriesOf(this.control()).toReversed(), readPageQuery(query), ({ hash }) => hash);
  }

  @Get('revisions/:n')
  @ApiOperation({ summary: 'One revision: its rules, and each that changed as it was before and after' })
  @ApiOkResponse({ type: RevisionDetailDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  revision(@Param('n', ParseIntPipe) n: number): RevisionDetailDto {
    const found = detailOf(this.control(), n);
    if (found === null) throw notFound(`There is no revision ${n}.`);
    return found;
  }

  @Post('revisions/:n/approve')
  @Allow('approver')
  @HttpCode(200)
  @ApiOperation({ summary: 'Brings a revision that waits into force; not for its author' })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  approve(
    @Param('n', ParseIntPipe) n: number,
    @Body() body: SignatureDto,
    @Caller() caller: Principal,
  ): Promise<AppliedDto> {
    return answered(() => this.control().approve(n, signatureOf(caller, body)));
  }

  @Post('rollback')
  @Allow('author')
  @HttpCode(200)
  @ApiOperation({ summary: 'Brings back the set of an earlier revision' })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  rollback(@Body() body: RollbackDto, @Caller() caller: Principal): Promise<AppliedDto> {
    return answered(() => this.control().rollback(body?.to, signatureOf(caller, body)));
  }

  private control(): RuleControl {
    if (this.rules === null) throw notFound('Rules cannot be changed while this process runs.');
    return this.rules;
  }
}
