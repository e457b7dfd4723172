"""Field tables of the US TRs (ls.md §4; g3202 by a published client).

As the Korean tables; `?` marks a number that the official samples leave out of a request. The g-series' tables say six
or eight decimals and text for sellonly, its messages have four and a number.
"""

TABLES = """
COSAQ00102InBlock1: RecCnt:N5? QryTpCode:S1 BkseqTpCode:S1 OrdMktCode:S2 BnsTpCode:S1 IsuNo:S12 SrtOrdNo:N10
  OrdDt:S8 ExecYn:S1 CrcyCode:S3 ThdayBnsAppYn:S1 LoanBalHldYn:S1
COSAQ00102OutBlock1: RecCnt:N5 QryTpCode:S1 BkseqTpCode:S1 OrdMktCode:S2 AcntNo:S20 Pwd:S8 BnsTpCode:S1 IsuNo:S12
  SrtOrdNo:N10 OrdDt:S8 ExecYn:S1 CrcyCode:S3 ThdayBnsAppYn:S1 LoanBalHldYn:S1
COSAQ00102OutBlock2: RecCnt:N5 AcntNm:S40 JpnMktHanglIsuNm:S100 MgmtBrnNm:S40 SellExecFcurrAmt:D21.4 SellExecQty:N16
  BuyExecFcurrAmt:D21.4 BuyExecQty:N16
COSAQ00102OutBlock3: MgmtBrnNo:S3 AcntNo:S20 AcntNm:S40 ExecTime:S9 OrdTime:S9 OrdNo:N10 OrgOrdNo:N10 ShtnIsuNo:S9
  OrdTrxPtnNm:S50 OrdTrxPtnCode:N9 MrcAbleQty:N16 OrdQty:N16 OvrsOrdPrc:D22.7 ExecQty:N16 OvrsExecPrc:D28.7
  OrdprcPtnCode:S2 OrdprcPtnNm:S40 OrdPtnNm:S40 OrdPtnCode:S2 MrcTpCode:S1 MrcTpNm:S10 AllExecQty:N16 CommdaCode:S2
  OrdMktCode:S2 MktNm:S40 CommdaNm:S40 JpnMktHanglIsuNm:S100 UnercQty:N16 CnfQty:N16 CrcyCode:S3 RegMktCode:S2
  IsuNo:S12 BrkTpCode:S2 OppBrkNm:S40 BnsTpCode:S1 LoanDt:S8 LoanAmt:N16
COSAT00301InBlock1: RecCnt:N5? OrdPtnCode:S2 OrgOrdNo:N10? OrdMktCode:S2 IsuNo:S12 OrdQty:N16 OvrsOrdPrc:D28.7
  OrdprcPtnCode:S2 BrkTpCode:S2
COSAT00301OutBlock1: RecCnt:N5 OrdPtnCode:S2 OrgOrdNo:N10 AcntNo:S20 InptPwd:S8 OrdMktCode:S2 IsuNo:S12 OrdQty:N16
  OvrsOrdPrc:D28.7 OrdprcPtnCode:S2 RegCommdaCode:S2 BrkTpCode:S2
COSAT00301OutBlock2: RecCnt:N5 OrdNo:N10 AcntNm:S40 IsuNm:S40
COSAT00311InBlock1: RecCnt:N5? OrdPtnCode:S2 OrgOrdNo:N10? OrdMktCode:S2 IsuNo:S12 OrdQty:N16 OvrsOrdPrc:D28.7
  OrdprcPtnCode:S2 BrkTpCode:S2
COSAT00311OutBlock1: RecCnt:N5 OrdPtnCode:S2 OrgOrdNo:N10 AcntNo:S20 InptPwd:S8 OrdMktCode:S2 IsuNo:S12 OrdQty:N16
  OvrsOrdPrc:D28.7 OrdprcPtnCode:S2 RegCommdaCode:S2 BrkTpCode:S2
COSAT00311OutBlock2: RecCnt:N5 OrdNo:N10 AcntNm:S40 IsuNm:S40
COSOQ00201InBlock1: RecCnt:N5? BaseDt:S8 CrcyCode:S3 AstkBalTpCode:S2
COSOQ00201OutBlock1: RecCnt:N5 AcntNo:S20 Pwd:S8 BaseDt:S8 CrcyCode:S3 AstkBalTpCode:S2
COSOQ00201OutBlock2: RecCnt:N5 ErnRat:D18.6 DpsConvEvalAmt:N16 StkConvEvalAmt:N16 DpsastConvEvalAmt:N16
  WonEvalSumAmt:N16 ConvEvalPnlAmt:N16 WonDpsBalAmt:N16 D2EstiDps:N16 LoanAmt:N16
COSOQ00201OutBlock3: CrcyCode:S3 FcurrDps:D21.4 FcurrEvalAmt:D21.4 FcurrEvalPnlAmt:D21.4 PnlRat:D18.6
  BaseXchrat:D15.4 DpsConvEvalAmt:N16 PchsAmt:N16 StkConvEvalAmt:N16 ConvEvalPnlAmt:N16 FcurrBuyAmt:D21.4
  FcurrOrdAbleAmt:D19.2 LoanAmt:N16
COSOQ00201OutBlock4: CrcyCode:S3 ShtnIsuNo:S9 IsuNo:S12 JpnMktHanglIsuNm:S100 AstkBalTpCode:S2 AstkBalTpCodeNm:S40
  AstkBalQty:D28.6 AstkSellAbleQty:D28.6 FcstckUprc:D24.4 FcurrBuyAmt:D21.4 FcstckMktIsuCode:S18
  OvrsScrtsCurpri:D28.7 FcurrEvalAmt:D21.4 FcurrEvalPnlAmt:D21.4 PnlRat:D18.6 BaseXchrat:D15.4 PchsAmt:N16
  DpsConvEvalAmt:N16 StkConvEvalAmt:N16 ConvEvalPnlAmt:N16 AstkSettQty:D28.6 MktTpNm:S20 FcurrMktCode:S2 LoanDt:S8
  LoanDtlClssCode:S2 LoanAmt:N16 DueDt:S8 AstkBasePrc:D28.6
COSOQ02701InBlock1: RecCnt:N5? CrcyCode:S3
COSOQ02701OutBlock1: RecCnt:N5 AcntNo:S20 Pwd:S8 CrcyCode:S3
COSOQ02701OutBlock2: CrcyCode:S3 FcurrBuyAdjstAmt1:D17.4 FcurrBuyAdjstAmt2:D17.4 FcurrBuyAdjstAmt3:D17.4
  FcurrBuyAdjstAmt4:D17.4 FcurrSellAdjstAmt1:D17.4 FcurrSellAdjstAmt2:D17.4 FcurrSellAdjstAmt3:D17.4
  FcurrSellAdjstAmt4:D17.4 PrsmptFcurrDps1:D17.4 PrsmptFcurrDps2:D17.4 PrsmptFcurrDps3:D17.4 PrsmptFcurrDps4:D17.4
  PrsmptMxchgAbleAmt1:D17.4 PrsmptMxchgAbleAmt2:D17.4 PrsmptMxchgAbleAmt3:D17.4 PrsmptMxchgAbleAmt4:D17.4
COSOQ02701OutBlock3: CntryNm:S40 CrcyCode:S3 T4FcurrDps:D21.4 FcurrDps:D17.4 FcurrOrdAbleAmt:D17.4
  PrexchOrdAbleAmt:D21.4 FcurrOrdAmt:D24.4 FcurrPldgAmt:D17.4 ExecRuseFcurrAmt:D17.4 FcurrMxchgAbleAmt:D17.4
  BaseXchrat:D15.4
COSOQ02701OutBlock4: RecCnt:N5 WonDpsBalAmt:N16 MnyoutAbleAmt:N16 WonPrexchAbleAmt:N16 OvrsMgn:N17
COSOQ02701OutBlock5: RecCnt:N5 NrfCode:S2
g3101InBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16
g3101OutBlock: delaygb:S1 keysymbol:S18 exchcd:S2 exchange:S4 suspend:S1 sellonly:N1 symbol:S16 korname:S64
  induname:S40 low52p:D15.4 floatpoint:S1 currency:S4 price:D15.4 sign:S1 diff:D15.4 rate:D6.2 volume:N16 amount:N15
  high52p:D15.4 uplimit:D15.4 dnlimit:D15.4 open:D15.4 high:D15.4 low:D15.4 perv:D9.2 epsv:D9.2
g3102InBlock: delaygb:S1 keysymbol:S18 exchcd:S2 readcnt:N4 cts_seq:N17?
g3102OutBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 cts_seq:N17 rec_count:N7
g3102OutBlock1: locdate:S8 loctime:S6 kordate:S8 kortime:S6 price:D15.4 sign:S1 diff:D15.4 rate:D6.2 open:D15.4
  high:D15.4 low:D15.4 exevol:N10 cgubun:S1 floatpoint:S1
g3103InBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 gubun:S1 date:S8
g3103OutBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 gubun:S1 date:S8
g3103OutBlock1: chedate:S8 price:D15.4 sign:S1 diff:D15.4 rate:D6.2 volume:N16 open:D15.4 high:D15.4 low:D15.4
  floatpoint:S1
g3104InBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16
g3104OutBlock: delaygb:S1 keysymbol:S18 exchcd:S2 exchange:S4 symbol:S16 korname:S64 engname:S64 exchange_name:S16
  nation_name:S16 induname:S40 instname:S16 floatpoint:S1 currency:S4 suspend:S1 sellonly:S1 share:N16 untprc:D15.4
  bidlotsize:S4 asklotsize:S4 volume:N16 amount:N16 pcls:D15.4 clos:D15.4 open:D15.4 high:D15.4 low:D15.4
  high52p:D15.4 low52p:D15.4 shareprc:N16 perv:D9.2 epsv:D9.2 exrate:D15.4 bidlotsize2:S8 asklotsize2:S8
g3106InBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16
g3106OutBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 korname:S64 price:D15.4 floatpoint:S1 sign:S1
  diff:D15.4 rate:D6.2 volume:N16 amount:N15 jnilclose:D15.4 open:D15.4 high:D15.4 low:D15.4 hotime:S6
  offerho1..10:D15.4 bidho1..10:D15.4 offercnt1..10:S10 bidcnt1..10:S10 offerrem1..10:N10 bidrem1..10:N10
  offercnt:S10 bidcnt:S10 offer:N10 bid:N10
g3190InBlock: delaygb:S1 natcode:S2 exgubun:S1 readcnt:N4 cts_value:S16
g3190OutBlock: delaygb:S1 natcode:S2 exgubun:S1 cts_value:S16 rec_count:N7
g3190OutBlock1: keysymbol:S18 natcode:S2 exchcd:S2 symbol:S16 seccode:S18 korname:S64 engname:S64 currency:S4
  isin:S12 floatpoint:S1 indusury:S4 share:N16 marketcap:N16 par:D15.4 parcurr:S4 bidlotsize2:S8 asklotsize2:S8
  clos:D15.4 listed_date:S8 expire_date:S8 suspend:S1 bymd:S8 sellonly:S8 stamp:S1 ticktype:S8 pcls:D15.4 vcmf:S1
  casf:S1 posf:S1 point:S1
g3202InBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 ncnt:N4 qrycnt:N4 comp_yn:S1 sdate:S8 edate:S8
  cts_seq:N17?
g3202OutBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 cts_seq:N17 rec_count:N7 preopen:D15.4 prehigh:D15.4
  prelow:D15.4 preclose:D15.4 prevolume:N16 open:D15.4 high:D15.4 low:D15.4 close:D15.4 s_time:S6 e_time:S6
  last_count:S4 timediff:S4
g3202OutBlock1: date:S8 loctime:S6 open:D15.4 high:D15.4 low:D15.4 close:D15.4 exevol:N16 jongchk:N13 prtt_rate:D6.2
  pricechk:N13 sign:S1
g3203InBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 ncnt:N4 qrycnt:N4 comp_yn:S1 sdate:S8 edate:S8
  cts_date:S8 cts_time:S6
g3203OutBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 cts_date:S8 cts_time:S6 rec_count:N7 preopen:D15.4
  prehigh:D15.4 prelow:D15.4 preclose:D15.4 prevolume:N16 open:D15.4 high:D15.4 low:D15.4 close:D15.4 s_time:S6
  e_time:S6 timediff:S4
g3203OutBlock1: date:S8 loctime:S6 open:D15.4 high:D15.4 low:D15.4 close:D15.4 exevol:N16 amount:N16
g3204InBlock: sujung:S1 delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 gubun:S1 qrycnt:N4 comp_yn:S1 sdate:S8
  edate:S8 cts_date:S8 cts_info:S6
g3204OutBlock: delaygb:S1 keysymbol:S18 exchcd:S2 symbol:S16 cts_date:S8 cts_info:S6 rec_count:N7 preopen:D15.4
  prehigh:D15.4 prelow:D15.4 preclose:D15.4 prevolume:N16 open:D15.4 high:D15.4 low:D15.4 close:D15.4 uplimit:D15.4
  dnlimit:D15.4 s_time:S6 e_time:S6 dshmin:S2
g3204OutBlock1: date:S8 open:D15.4 high:D15.4 low:D15.4 close:D15.4 volume:N16 amount:N16 jongchk:N13 prtt_rate:D6.2
  pricechk:N13 ratevalue:N12 sign:S1
"""
