"""Field tables of the Korean quote, chart and master TRs (ls.md §3.2–3.4).

S string, N integer, D decimal, each with its length; `name1..10` stands for ten keys. Read through blocks.py only.
"""

TABLES = """
t1101InBlock: shcode:S6
t1101OutBlock: hname:S20 price:N8 sign:S1 change:N8 diff:D6.2 volume:N12 jnilclose:N8 offerho1..10:N8 bidho1..10:N8
  offerrem1..10:N12 bidrem1..10:N12 preoffercha1..10:N12 prebidcha1..10:N12 offer:N12 bid:N12 preoffercha:N12
  prebidcha:N12 hotime:S8 yeprice:N8 yevolume:N12 yesign:S1 yechange:N8 yediff:D6.2 tmoffer:N12 tmbid:N12 ho_status:S1
  shcode:S6 uplmtprice:N8 dnlmtprice:N8 open:N8 high:N8 low:N8 krx_midprice:N8 krx_offermidsumrem:N9
  krx_bidmidsumrem:N9 krx_midsumrem:N9 krx_midsumremgubun:S1
t1102InBlock: shcode:S6 exchgubun:S1
t1102OutBlock: hname:S20 price:N8 sign:S1 change:N8 diff:D6.2 volume:N12 recprice:N8 avg:N8 uplmtprice:N8
  dnlmtprice:N8 jnilvolume:N12 volumediff:N12 open:N8 opentime:S6 high:N8 hightime:S6 low:N8 lowtime:S6 high52w:N8
  high52wdate:S8 low52w:N8 low52wdate:S8 exhratio:D6.2 per:D6.2 pbrx:D6.2 listing:N12 jkrate:N8 memedan:S5
  offernocd1..5:S3 bidnocd1..5:S3 offerno1..5:S6 bidno1..5:S6 dvol1..5:N8 svol1..5:N8 dcha1..5:N8 scha1..5:N8
  ddiff1..5:D6.2 sdiff1..5:D6.2 fwdvl:N12 ftradmdcha:N12 ftradmddiff:D6.2 fwsvl:N12 ftradmscha:N12 ftradmsdiff:D6.2
  vol:D6.2 shcode:S6 value:N12 jvolume:N12 highyear:N8 highyeardate:S8 lowyear:N8 lowyeardate:S8 target:N8
  capital:N12 abscnt:N12 parprice:N8 gsmm:S2 subprice:N8 total:N12 listdate:S8 name:S10 bfsales:N12
  bfoperatingincome:N12 bfordinaryincome:N12 bfnetincome:N12 bfeps:D13.2 name2:S10 bfsales2:N12
  bfoperatingincome2:N12 bfordinaryincome2:N12 bfnetincome2:N12 bfeps2:D13.2 salert:D7.2 opert:D7.2 ordrt:D7.2
  netrt:D7.2 epsrt:D7.2 info1..5:S10 janginfo:S10 t_per:D6.2 tonghwa:S3 dval1..5:N18 sval1..5:N18 davg1..5:N8
  savg1..5:N8 ftradmdval:N18 ftradmsval:N18 ftradmdvag:N8 ftradmsvag:N8 spac_gubun:S1 issueprice:N8 alloc_gubun:S1
  alloc_text:S8 shterm_text:S10 svi_uplmtprice:N8 svi_dnlmtprice:N8 low_lqdt_gu:S1 abnormal_rise_gu:S1 lend_text:S8
  ty_text:S8 nxt_janginfo:S10 nxt_shterm_text:S10 nxt_svi_uplmtprice:N8 nxt_svi_dnlmtprice:N8 ex_shcode:S10
  krx_mcls_price:N8
t8407InBlock: nrec:N3 shcode:S300
t8407OutBlock1: shcode:S6 hname:S40 price:N8 sign:S1 change:N8 diff:D6.2 volume:N12 offerho:N8 bidho:N8 cvolume:N8
  chdegree:D9.2 open:N8 high:N8 low:N8 value:N12 offerrem:N12 bidrem:N12 totofferrem:N12 totbidrem:N12 jnilclose:N8
  uplmtprice:N8 dnlmtprice:N8
t1301InBlock: shcode:S6 cvolume:N12 starttime:S4 endtime:S4 cts_time:S10
t1301OutBlock: cts_time:S10
t1301OutBlock1: chetime:S10 price:N8 sign:S1 change:N8 diff:D6.2 cvolume:N12 chdegree:D8.2 volume:N12 mdvolume:N12
  mdchecnt:N8 msvolume:N12 mschecnt:N8 revolume:N12 rechecnt:N8
t8410InBlock: shcode:S6 gubun:S1 qrycnt:N4 sdate:S8 edate:S8 cts_date:S8 comp_yn:S1 sujung:S1
t8410OutBlock: shcode:S6 jisiga:N8 jihigh:N8 jilow:N8 jiclose:N8 jivolume:N12 disiga:N8 dihigh:N8 dilow:N8 diclose:N8
  highend:N8 lowend:N8 cts_date:S8 s_time:S6 e_time:S6 dshmin:S2 rec_count:N7 svi_uplmtprice:N8 svi_dnlmtprice:N8
t8410OutBlock1: date:S8 open:N12 high:N12 low:N12 close:N12 jdiff_vol:N12 value:N12 jongchk:N13 rate:D6.2 pricechk:N13
  ratevalue:N12 sign:S1
t8412InBlock: shcode:S6 ncnt:N4 qrycnt:N4 nday:S1 sdate:S8 stime:S6 edate:S8 etime:S6 cts_date:S8 cts_time:S10
  comp_yn:S1
t8412OutBlock: shcode:S6 jisiga:N8 jihigh:N8 jilow:N8 jiclose:N8 jivolume:N12 disiga:N8 dihigh:N8 dilow:N8 diclose:N8
  highend:N8 lowend:N8 cts_date:S8 cts_time:S10 s_time:S6 e_time:S6 dshmin:S2 rec_count:N7
t8412OutBlock1: date:S8 time:S10 open:N8 high:N8 low:N8 close:N8 jdiff_vol:N12 value:N12 jongchk:N13 rate:D6.2 sign:S1
t8436InBlock: gubun:S1
t8436OutBlock: hname:S20 shcode:S6 expcode:S12 etfgubun:S1 uplmtprice:N8 dnlmtprice:N8 jnilclose:N8 memedan:S5
  recprice:N8 gubun:S1 bu12gubun:S2 spac_gubun:S1 filler:S32
t0167InBlock: id:S8
t0167OutBlock: dt:S8 time:S12
t8450InBlock: shcode:S6 exchgubun:S1
t8450OutBlock: hname:S20 price:N8 sign:S1 change:N8 diff:D6.2 volume:N12 jnilclose:N8 offerho1..10:N8 bidho1..10:N8
  offerrem1..10:N12 bidrem1..10:N12 offer:N12 bid:N12 hotime:S8 yeprice:N8 yevolume:N12 yesign:S1 yechange:N8
  yediff:D6.2 tmoffer:N12 tmbid:N12 ho_status:S1 shcode:S6 uplmtprice:N8 dnlmtprice:N8 open:N8 high:N8 low:N8
  nxt_offerrem1..10:N12 nxt_bidrem1..10:N12 nxt_offer:N12 nxt_bid:N12 nxt_yeprice:N12 nxt_yevolume:N12 nxt_yesign:S1
  nxt_yechange:N8 nxt_yediff:D6.2 nxt_ho_status:S1 unx_offerrem1..10:N12 unx_bidrem1..10:N12 unx_offer:N12
  unx_bid:N12 krx_midprice:N8 krx_offermidsumrem:N9 krx_bidmidsumrem:N9 nxt_midprice:N8 nxt_offermidsumrem:N9
  nxt_bidmidsumrem:N9 ex_shcode:S10 krx_midsumrem:N9 krx_midsumremgubun:S1 nxt_midsumrem:N9 nxt_midsumremgubun:S1
t8454InBlock: shcode:S6 cvolume:N12 starttime:S4 endtime:S4 cts_time:S10 exchgubun:S1
t8454OutBlock: cts_time:S10 ex_shcode:S10
t8454OutBlock1: chetime:S10 price:N8 sign:S1 change:N8 diff:D6.2 cvolume:N12 chdegree:D8.2 volume:N12 mdvolume:N12
  mdchecnt:N8 msvolume:N12 mschecnt:N8 revolume:N12 rechecnt:N8 exchname:S3
t1302InBlock: shcode:S6 gubun:S1 time:S6 cnt:N3 exchgubun:S1
t1302OutBlock: cts_time:S6
t1302OutBlock1: chetime:S6 close:N8 sign:S1 change:N8 diff:D6.2 chdegree:D8.2 mdvolume:N12 msvolume:N12 revolume:N12
  mdchecnt:N8 mschecnt:N8 rechecnt:N8 volume:N12 open:N8 high:N8 low:N8 cvolume:N12 mdchecnttm:N8 mschecnttm:N8
  totofferrem:N12 totbidrem:N12 mdvolumetm:N12 msvolumetm:N12
t1305InBlock: shcode:S6 dwmcode:N1 date:S8 idx:N4 cnt:N4 exchgubun:S1
t1305OutBlock: cnt:N4 date:S8 idx:N4 ex_shcode:S10
t1305OutBlock1: date:S8 open:N8 high:N8 low:N8 close:N8 sign:S1 change:N8 diff:D6.2 volume:N12 diff_vol:D10.2
  chdegree:D6.2 sojinrate:D6.2 changerate:D6.2 fpvolume:N12 covolume:N12 shcode:S6 value:N12 ppvolume:N12 o_sign:S1
  o_change:N8 o_diff:D6.2 h_sign:S1 h_change:N8 h_diff:D6.2 l_sign:S1 l_change:N8 l_diff:D6.2 marketcap:N12
t8451InBlock: shcode:S6 gubun:S1 qrycnt:N4 sdate:S8 edate:S8 cts_date:S8 comp_yn:S1 sujung:S1 exchgubun:S1
t8451OutBlock: shcode:S6 jisiga:N8 jihigh:N8 jilow:N8 jiclose:N8 jivolume:N12 disiga:N8 dihigh:N8 dilow:N8
  diclose:N8 highend:N8 lowend:N8 cts_date:S8 s_time:S6 e_time:S6 dshmin:S2 rec_count:N7 svi_uplmtprice:N8
  svi_dnlmtprice:N8 nxt_fm_s_time:S6 nxt_fm_e_time:S6 nxt_fm_dshmin:S2 nxt_am_s_time:S6 nxt_am_e_time:S6
  nxt_am_dshmin:S2
t8451OutBlock1: date:S8 open:N12 high:N12 low:N12 close:N12 jdiff_vol:N12 value:N12 jongchk:N13 rate:D6.2
  pricechk:N13 ratevalue:N12 sign:S1
t8452InBlock: shcode:S6 ncnt:N4 qrycnt:N4 nday:S1 sdate:S8 stime:S6 edate:S8 etime:S6 cts_date:S8 cts_time:S10
  comp_yn:S1 exchgubun:S1
t8452OutBlock: shcode:S6 jisiga:N8 jihigh:N8 jilow:N8 jiclose:N8 jivolume:N12 disiga:N8 dihigh:N8 dilow:N8
  diclose:N8 highend:N8 lowend:N8 cts_date:S8 cts_time:S10 s_time:S6 e_time:S6 dshmin:S2 rec_count:N7
  nxt_fm_s_time:S6 nxt_fm_e_time:S6 nxt_fm_dshmin:S2 nxt_am_s_time:S6 nxt_am_e_time:S6 nxt_am_dshmin:S2
t8452OutBlock1: date:S8 time:S10 open:N8 high:N8 low:N8 close:N8 jdiff_vol:N12 value:N12 jongchk:N13 rate:D6.2
  sign:S1
t8430InBlock: gubun:S1
t8430OutBlock: hname:S20 shcode:S6 expcode:S12 etfgubun:S1 uplmtprice:N8 dnlmtprice:N8 jnilclose:N8 memedan:S5
  recprice:N8 gubun:S1
t9945InBlock: gubun:S1
t9945OutBlock: hname:S40 shcode:S6 expcode:S12 etfchk:S1 nxt_chk:S1 filler:S4
"""
