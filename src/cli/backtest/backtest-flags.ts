import { fault } from '../../error/millrace-error.js'
import type { RangeFlags } from './range-flags.js'

/** The options of `millrace backtest`, as commander reads them. */
export interface BacktestFlags extends RangeFlags {
  /** The text that was deployed last, and not that of the file. */
  readonly deployed?: boolean
  /** The text of this deployed revision. */
  readonly revision?: number
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
  const { against, label, labelBy, labelWithin, check, deployed, revision } = flags
  const refuse = (condition: boolean, detail: string): void => {
    if (condition) throw fault('USAGE', detail)
  }
  refuse(label === undefined && (labelBy !== undefined || labelWithin !== undefined), 'name the --label')
  refuse(deployed === true && revision !== undefined, 'the --deployed text or that of a --revision, not both')
  refuse(check === true && against === undefined, '--check compares: say with what, by --against')
}
