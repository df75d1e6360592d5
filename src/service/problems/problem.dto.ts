import { ApiProperty } from '@nestjs/swagger';
import { DiagnosticDto } from './diagnostic.dto.js';

export class ProblemItemDto {
  @ApiProperty({ type: String, description: 'Where: `[3].amount`, `limit`; empty for the whole.' })
  readonly path!: string;

  @ApiProperty({ type: String })
  readonly message!: string;
}

/** RFC 9457, `application/problem+json`. */
export class ProblemDto {
  @ApiProperty({ type: String, example: 'about:blank' })
  readonly type!: string;

  @ApiProperty({ type: String, example: 'Bad Request' })
  readonly title!: string;

  @ApiProperty({ type: Number, example: 400 })
  readonly status!: number;

  @ApiProperty({ type: String, example: 'INVALID_INPUT', description: 'Fixed, for programs.' })
  readonly code!: string;

  @ApiProperty({ type: String })
  readonly detail!: string;

  @ApiProperty({ type: [ProblemItemDto], required: false, description: 'All that is wrong with the input.' })
  readonly errors?: readonly ProblemItemDto[];

  @ApiProperty({ type: [DiagnosticDto], required: false, description: 'Of rules: errors with file, line and column.' })
  readonly diagnostics?: readonly DiagnosticDto[];
}
