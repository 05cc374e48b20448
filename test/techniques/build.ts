// Builds the program: `buildTechniques()` returns its path, made anew when its source changed.
import { buildProgram } from "../programs/build.ts";

/** @returns the path of the executable; static, so that it runs in every guest */
export const buildTechniques = (): string => buildProgram("techniques", import.meta.dir);
