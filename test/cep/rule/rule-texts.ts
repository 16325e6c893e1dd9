// What tests of the rule language share: contracts and how to look at what is wrong with a text.
import { z } from 'zod'
import { contractLookup } from '../../../src/cep/rule/contract-lookup.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import type { Rule } from '../../../src/cep/rule/rule.ts'
import { isFault, type Issue } from '../../../src/error/millrace-error.ts'
import { defineEvent } from '../../../src/event/contract.ts'
import { createRegistry } from '../../../src/event/registry.ts'

export const CONTRACTS = [
  defineEvent('payment.authorized', {
    data: z.object({ cardId: z.string(), amount: z.number(), channel: z.enum(['chip', 'online']).optional() }),
    key: (data) => data.cardId,
  }),
  defineEvent('card.verified', { data: z.object({ cardId: z.string() }), key: (data) => data.cardId }),
  defineEvent('fraud.suspected', {
    data: z.object({
      cardId: z.string(),
      amount: z.number().optional(),
      count: z.number().optional(),
      since: z.number().optional(),
      merchantId: z.string().optional(),
    }),
    key: (data) => data.cardId,
  }),
  defineEvent('order.placed', { data: z.object({ order: z.string(), total: z.number() }) }),
  defineEvent('order.paid', { data: z.object({ order: z.string(), amount: z.number() }) }),
  defineEvent('order.unpaid', { data: z.object({ order: z.string(), since: z.number().optional() }) }),
  defineEvent('metric.recorded', { data: z.object({ machine: z.string(), value: z.number() }) }),
  defineEvent('machine.alarmed', {
    data: z.object({ machine: z.string(), value: z.number().optional(), score: z.number().optional() }),
  }),
]
export const lookup = contractLookup(createRegistry(CONTRACTS))

export function ruleOf(text: string): Rule {
  try {
    return parseRule(text, { file: 'rule.yaml', contracts: lookup })
  } catch (error) {
    if (isFault(error))
      throw new Error(error.issues.map((i) => `${i.line}:${i.column} ${i.detail}`).join('\n'), { cause: error })
    throw error
  }
}

/** What is wrong with a text; throws when something else is thrown than what a rule file may cause. */
export function issuesIn(text: string): readonly Issue[] {
  try {
    parseRule(text, { file: 'rule.yaml', contracts: lookup })
  } catch (error) {
    if (isFault(error, 'RULE_INVALID')) return error.issues
    throw error
  }
  return []
}
