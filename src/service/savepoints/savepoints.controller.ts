import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Allow } from '../access/allow.js';
import { ApiPage, pageOf, readPageQuery } from '../paging/page.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { notFound, unavailable } from '../problems/problem.js';
import { SAVEPOINTS } from '../tokens.js';
import { SavepointJobDto, SavepointPageDto } from './savepoint.dto.js';
import type { SavepointJobs } from './savepoint-jobs.js';

@ApiTags('savepoints')
@Controller('v1/savepoints')
@Allow('viewer')
export class SavepointsController {
  constructor(@Inject(SAVEPOINTS) private readonly jobs: SavepointJobs | null) {}

  @Post()
  @Allow('operator')
  @HttpCode(202)
  @ApiOperation({
    summary:
      'Begins to write a savepoint of the partitions that this process owns into its data folder; ask for it by its name',
  })
  @ApiAcceptedResponse({ type: SavepointJobDto })
  @ApiResponse({ status: 503, type: ProblemDto })
  create(): SavepointJobDto {
    const job = this.jobs?.start() ?? null;
    if (job === null) {
      throw unavailable(
        'NOT_LIVE',
        'No savepoint can be taken now: this process has no partitions, or some are being restored.',
      );
    }
    return job;
  }

  @Get()
  @ApiOperation({ summary: 'The savepoints that were asked for since the start, the newest first' })
  @ApiPage()
  @ApiOkResponse({ type: SavepointPageDto })
  list(@Query() query: unknown): SavepointPageDto {
    return pageOf(this.jobs?.list() ?? [], readPageQuery(query), ({ name }) => name);
  }

  @Get(':name')
  @ApiOperation({ summary: 'How far a savepoint is' })
  @ApiOkResponse({ type: SavepointJobDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  one(@Param('name') name: string): SavepointJobDto {
    const job = this.jobs?.get(name);
    if (job === undefined) throw notFound('No savepoint of this name was asked for since the start.');
    return job;
  }
}
