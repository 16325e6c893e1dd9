import { defineCommand } from 'millrace'
import { z } from 'zod'

const entry = z.object({ accountId: z.string().min(1), amount: z.number().int().positive() })
const key = (data: { accountId: string }): string => data.accountId

export const Deposit = defineCommand('account.deposit', { data: entry, key })
export const Withdraw = defineCommand('account.withdraw', { data: entry, key })
