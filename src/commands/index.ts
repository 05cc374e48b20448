import type { Command } from "../cli/command.ts";
import { check } from "./check.ts";
import { configCheck } from "./config-check.ts";
import { doctor } from "./doctor.ts";
import { expect } from "./expect.ts";
import { history } from "./history.ts";
import { verify } from "./verify.ts";
import { watch } from "./watch.ts";

/** Every command, in the order of --help. To add one: a file here, a row below. The first runs when none is named. */
export const COMMANDS: readonly Command[] = [watch, check, doctor, expect, history, verify, configCheck];
