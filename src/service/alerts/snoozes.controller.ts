import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Allow } from '../access/allow.js';
import { KeyNames } from '../access/key-names.js';
import { Caller, type Principal } from '../access/principal.js';
import { ApiPage, readPageQuery } from '../paging/page.js';
import { checkBody, momentOf } from '../problems/check-body.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { AlertDesk } from './alert-desk.js';
import { NewSnoozeDto, SnoozeDto, SnoozePageDto } from './snooze.dto.js';

const newSnooze = z.strictObject({
  key: z.string().min(1).max(1000),
  pattern: z.string().min(1).max(200).nullable().default(null),
  until: momentOf,
  reason: z.string().max(10_000).default(''),
  author: z.string().max(200).optional(),
});

@ApiTags('alerts')
@Controller('v1/snoozes')
@Allow('analyst')
export class SnoozesController {
  constructor(
    @Inject(AlertDesk) private readonly desk: AlertDesk,
    @Inject(KeyNames) private readonly keys: KeyNames,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Snoozes that have not ended, in the order of their ends' })
  @ApiPage()
  @ApiOkResponse({ type: SnoozePageDto })
  list(@Query() query: unknown): Promise<SnoozePageDto> {
    return this.desk.snoozes(readPageQuery(query));
  }

  @Post()
  @HttpCode(201)
  @ApiOperation({
    summary: 'Has open alerts of a key, in one pattern or any, be `snoozed` until a time',
    description: 'Those that come until then, and those there are. Detection and sinks know nothing of it.',
  })
  @ApiResponse({ status: 201, type: SnoozeDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  add(@Body() body: NewSnoozeDto, @Caller() caller: Principal): Promise<SnoozeDto> {
    const { author, ...wanted } = checkBody(newSnooze, body);
    return this.desk.snooze({ ...wanted, key: this.keys.kept(wanted.key, wanted.pattern) }, caller.signs(author));
  }

  @Delete(':id')
  @HttpCode(200)
  @ApiOperation({ summary: 'Ends a snooze now' })
  @ApiOkResponse({ type: SnoozeDto })
  @ApiResponse({ status: 404, type: ProblemDto })
  remove(@Param('id') id: string): Promise<SnoozeDto> {
    return this.desk.wake(id);
  }
}
