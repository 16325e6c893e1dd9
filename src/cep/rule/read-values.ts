import { canBeVariable } from '../cel/environment.js'
import type { Entry, RuleFile } from './rule-file.js'

const WORDS = new Set(
  'data type id time key true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/** Notes a name that something computed cannot have. */
export function checkValueName(file: RuleFile, { key: name, keyAt }: Entry, reserved: readonly string[]): void {
  if (!/^[a-z][A-Za-z0-9_]{0,63}$/.test(name))
    file.issue(keyAt, `${name.slice(0, 100)} is not a name: a lower-case letter, then letters, digits, _`)
  else if (WORDS.has(name) || reserved.includes(name) || !canBeVariable(name))
    file.issue(keyAt, `a value cannot be called ${name}: that word means something already`)
}
