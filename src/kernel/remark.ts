/** Something that a logic did and that is worth a line in the log. */
export interface Remark {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}
