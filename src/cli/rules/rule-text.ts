import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Rule } from '../../cep/rule/rule.js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import { fault } from '../../error/millrace-error.js'
import type { Deployment } from '../../runtime/deployment.js'
import { loadRule, ruleFilesIn } from '../../runtime/discover.js'
import { ruleBy } from './rule-source.js'

/** A rule with the text that it was read from. */
export interface RuleText {
  readonly rule: Rule
  /** For people: the path, or what else it was found by. */
  readonly file: string
  readonly text: string
}

/**
 * A rule by the path of its file or its name in `streams/`, with its text.
 * @throws RULE_INVALID, DECLARATION_UNKNOWN, INPUT_UNREADABLE
 */
export async function ruleTextBy(given: string, deployment: Deployment): Promise<RuleText> {
  const rule = await ruleBy(given, deployment)
  const path = given === rule.name ? ((await pathOf(rule, deployment)) ?? given) : given
  return { rule, file: relative(process.cwd(), path), text: await textOf(path) }
}

async function pathOf(rule: Rule, { folder, registry }: Deployment): Promise<string | undefined> {
  for (const path of await ruleFilesIn(folder))
    try {
      if ((await loadRule(path, registry)).name === rule.name) return path
    } catch (error) {
      if (!isFault(error, 'RULE_INVALID')) throw error // another one’s mistakes do not concern this one
    }
  return undefined
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw fault('INPUT_UNREADABLE', `${path}: ${messageOf(error)}`, { cause: error })
  }
}
