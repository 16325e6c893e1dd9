import { stat } from 'node:fs/promises'
import { fault } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import { ruleFilesIn } from '../../runtime/discover.js'
import type { CliContext } from '../context.js'
import { checkRules, type CheckedRule } from './check-rules.js'
import { ruleSurroundings } from './rule-surroundings.js'

/**
 * Rules by the paths of their files, or by their names in `streams/`; all of `streams/` when none is given.
 * @throws DECLARATION_UNKNOWN naming the rules that there are, and what reading declarations throws
 */
export async function givenRules(context: CliContext, given: readonly string[]): Promise<CheckedRule[]> {
  const files: string[] = []
  const names: string[] = []
  for (const each of given) (/\.(ya?ml|ts|js|mjs)$/.test(each) || (await isFile(each)) ? files : names).push(each)
  const around = await ruleSurroundings(context, files.length > 0 && names.length === 0)
  if (given.length > 0 && names.length === 0) return checkRules(files, around)
  const all = await checkRules(await ruleFilesIn(context.options.streams), around)
  if (names.length === 0) return all
  const wanted = names.map((name) => named(all, name))
  return files.length === 0 ? wanted : [...wanted, ...(await checkRules(files, around))]
}

/** A file with mistakes has no name that can be read: it goes by its own. */
function named(all: readonly CheckedRule[], name: string): CheckedRule {
  const found =
    all.find(({ rule }) => rule?.name === name) ??
    all.find(({ rule, file }) => rule === undefined && new RegExp(`(^|[/\\\\])${escaped(name)}\\.[a-z]+$`).test(file))
  if (found !== undefined) return found
  const known = all.flatMap(({ rule }) => (rule === undefined ? [] : [rule.name]))
  const broken = all.filter(({ rule }) => rule === undefined).map(({ file }) => file)
  const unread = broken.length === 0 ? '' : `; with mistakes, so without a name: ${broken.join(', ')}`
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  throw fault('DECLARATION_UNKNOWN', `rule ${JSON.stringify(name)}; there are: ${known.join(', ')}${unread}${hint}`)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false // then it is the name of a rule
  }
}
