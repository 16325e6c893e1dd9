import { fault } from '../../error/millrace-error.js'
import type { RangeFlags } from './range-flags.js'

/** The options of `millrace backtest`, as commander reads them. */
export interface BacktestFlags extends RangeFlags {
  readonly stream?: string
  readonly against?: string
  readonly label?: string
  readonly labelBy?: 'event' | 'key'
  readonly labelWithin?: number
  readonly warmUp?: string
  /** Matches that are printed. */
  readonly show: number
  readonly check?: boolean
  readonly out?: string
  readonly html?: string
}

/** @throws USAGE naming the options that do not go together */
export function checkFlags(flags: BacktestFlags): void {
  const { against, label, labelBy, labelWithin, check } = flags
  const refuse = (condition: boolean, detail: string): void => {
    if (condition) throw fault('USAGE', detail)
  }
  refuse(label === undefined && (labelBy !== undefined || labelWithin !== undefined), 'name the --label')
  refuse(check === true && against === undefined, '--check compares: say with what, by --against')
}
