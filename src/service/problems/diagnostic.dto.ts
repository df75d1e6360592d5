import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Diagnostic } from '../../rules/index.js';

export class DiagnosticDto implements Diagnostic {
  @ApiProperty({ enum: ['error', 'warning'] })
  readonly severity!: Diagnostic['severity'];

  @ApiProperty({ type: String, example: 'unknown-field' })
  readonly code!: string;

  @ApiProperty({ type: String })
  readonly message!: string;

  @ApiProperty({ type: String })
  readonly file!: string;

  @ApiProperty({ type: Number, description: 'From 1 on, as the column.' })
  readonly line!: number;

  @ApiProperty({ type: Number })
  readonly column!: number;

  @ApiProperty({ type: Number, description: 'Characters that it is about.' })
  readonly length!: number;

  @ApiProperty({ type: String, description: 'The line.' })
  readonly excerpt!: string;

  @ApiPropertyOptional({ type: String, description: 'What to do.' })
  readonly hint?: string;
}
