/** What the savepoints in this folder are of: the rows before them, and what must follow after. */
import { rowsOf } from './kit.js';

export const PARTITIONS = 2;

/** Leaves runs, a loop, a timer, a shared graph, features and held-back events, in several keys of both partitions. */
export const BEFORE = rowsOf(`
  Xa100*10 Ya101*5 Xb106 Xa103*20 Za104 Wa105 Wb110 Vd111*60 Za112 Xa115*30 Vd118*30 Ya120*7 Zb121 Wa125 Xa122*1 Yb126 Wa131 Xb130 Ya129 Va133*2`);

export const AFTER = rowsOf(`
  Xb135*40 Yb136 Zc137 Wa138 Xd140*9 Yd141*1 Zd142 Wb143 Vd144*11 Xc145 Wd150*200 Ya151*3 Yc160 Xd161 Vb170 Vd180 Za190 Zb195
  Xz400 Yz400 Zz400 Wz400 Vz400 Uz400 Tz400 Sz400 Rz400`);
