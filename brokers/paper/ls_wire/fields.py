"""Field tables of the LS TRs that we serve (ls.md §3): S string, N integer, D decimal, each with its length.

`name1..10` stands for ten keys. Read through blocks.py only.
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
  vol:D6.2 shcode:S6 value:N12 jvolume:N12 highyear:N8 highyeardate:S8 lowyear:N8 lowyeardate:S8 target:N8 capital:N12
  abscnt:N12 parprice:N8 gsmm:S2 subprice:N8 total:N12 listdate:S8 name:S10 bfsales:N12 bfoperatingincome:N12
  bfordinaryincome:N12 bfnetincome:N12 bfeps:D13.2 name2:S10 bfsales2:N12 bfoperatingincome2:N12 bfordinaryincome2:N12
  bfnetincome2:N12 bfeps2:D13.2 salert:D7.2 opert:D7.2 ordrt:D7.2 netrt:D7.2 epsrt:D7.2 info1..5:S10 janginfo:S10
  t_per:D6.2 tonghwa:S3 dval1..5:N18 sval1..5:N18 davg1..5:N8 savg1..5:N8 ftradmdval:N18 ftradmsval:N18 ftradmdvag:N8
  ftradmsvag:N8 spac_gubun:S1 issueprice:N8 alloc_gubun:S1 alloc_text:S8 shterm_text:S10 svi_uplmtprice:N8
  svi_dnlmtprice:N8 low_lqdt_gu:S1 abnormal_rise_gu:S1 lend_text:S8 ty_text:S8 nxt_janginfo:S10 nxt_shterm_text:S10
  nxt_svi_uplmtprice:N8 nxt_svi_dnlmtprice:N8 ex_shcode:S10
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
CSPAT00601InBlock1: IsuNo:S12 OrdQty:N16 OrdPrc:D13.2 BnsTpCode:S1 OrdprcPtnCode:S2 MgntrnCode:S3 LoanDt:S8
  OrdCndiTpCode:S1 MbrNo:S3
CSPAT00601OutBlock1: RecCnt:N5 AcntNo:S20 InptPwd:S8 IsuNo:S12 OrdQty:N16 OrdPrc:D13.2 BnsTpCode:S1 OrdprcPtnCode:S2
  PrgmOrdprcPtnCode:S2 StslAbleYn:S1 StslOrdprcTpCode:S1 CommdaCode:S2 MgntrnCode:S3 LoanDt:S8 MbrNo:S3
  OrdCndiTpCode:S1 StrtgCode:S6 GrpId:S20 OrdSeqNo:N10 PtflNo:N10 BskNo:N10 TrchNo:N10 ItemNo:N10 OpDrtnNo:S12 LpYn:S1
  CvrgTpCode:S1
CSPAT00601OutBlock2: RecCnt:N5 OrdNo:N10 OrdTime:S9 OrdMktCode:S2 OrdPtnCode:S2 ShtnIsuNo:S9 MgempNo:S9 OrdAmt:N16
  SpareOrdNo:N10 CvrgSeqno:N10 RsvOrdNo:N10 SpotOrdQty:N16 RuseOrdQty:N16 MnyOrdAmt:N16 SubstOrdAmt:N16 RuseOrdAmt:N16
  AcntNm:S40 IsuNm:S40
CSPAT00701InBlock1: OrgOrdNo:N10 IsuNo:S12 OrdQty:N16 OrdprcPtnCode:S2 OrdCndiTpCode:S1 OrdPrc:D13.2
CSPAT00701OutBlock1: RecCnt:N5 OrgOrdNo:N10 AcntNo:S20 InptPwd:S8 IsuNo:S12 OrdQty:N16 OrdprcPtnCode:S2
  OrdCndiTpCode:S1 OrdPrc:D13.2 CommdaCode:S2 StrtgCode:S6 GrpId:S20 OrdSeqNo:N10 PtflNo:N10 BskNo:N10 TrchNo:N10
  ItemNo:N10
CSPAT00701OutBlock2: RecCnt:N5 OrdNo:N10 PrntOrdNo:N10 OrdTime:S9 OrdMktCode:S2 OrdPtnCode:S2 ShtnIsuNo:S9
  PrgmOrdprcPtnCode:S2 StslOrdprcTpCode:S1 StslAbleYn:S1 MgntrnCode:S3 LoanDt:S8 CvrgOrdTp:S1 LpYn:S1 MgempNo:S9
  OrdAmt:N16 BnsTpCode:S1 SpareOrdNo:N10 CvrgSeqno:N10 RsvOrdNo:N10 MnyOrdAmt:N16 SubstOrdAmt:N16 RuseOrdAmt:N16
  AcntNm:S40 IsuNm:S40
CSPAT00801InBlock1: OrgOrdNo:N10 IsuNo:S12 OrdQty:N16
CSPAT00801OutBlock1: RecCnt:N5 OrgOrdNo:N10 AcntNo:S20 InptPwd:S8 IsuNo:S12 OrdQty:N16 CommdaCode:S2 GrpId:S20
  StrtgCode:S6 OrdSeqNo:N10 PtflNo:N10 BskNo:N10 TrchNo:N10 ItemNo:N10
CSPAT00801OutBlock2: RecCnt:N5 OrdNo:N10 PrntOrdNo:N10 OrdTime:S9 OrdMktCode:S2 OrdPtnCode:S2 ShtnIsuNo:S9
  PrgmOrdprcPtnCode:S2 StslOrdprcTpCode:S1 StslAbleYn:S1 MgntrnCode:S3 LoanDt:S8 CvrgOrdTp:S1 LpYn:S1 MgempNo:S9
  BnsTpCode:S1 SpareOrdNo:N10 CvrgSeqno:N10 RsvOrdNo:N10 AcntNm:S40 IsuNm:S40
t0424InBlock: prcgb:S1 chegb:S1 dangb:S1 charge:S1 cts_expcode:S22
t0424OutBlock: sunamt:N18 dtsunik:N18 mamt:N18 sunamt1:N18 cts_expcode:S22 tappamt:N18 tdtsunik:N18
t0424OutBlock1: expcode:S12 jangb:S10 janqty:N18 mdposqt:N18 pamt:N18 mamt:N18 sinamt:N18 lastdt:S8 msat:N18 mpms:N18
  mdat:N18 mpmd:N18 jsat:N18 jpms:N18 jdat:N18 jpmd:N18 sysprocseq:N10 loandt:S8 hname:S20 marketgb:S1 jonggb:S1
  janrt:D10.2 price:N8 appamt:N18 dtsunik:N18 sunikrt:D10.2 fee:N10 tax:N10 sininter:N10
t0425InBlock: expcode:S12 chegb:S1 medosu:S1 sortgb:S1 cts_ordno:S10
t0425OutBlock: tqty:N18 tcheqty:N18 tordrem:N18 cmss:N18 tamt:N18 tmdamt:N18 tmsamt:N18 tax:N18 cts_ordno:S10
t0425OutBlock1: ordno:N10 expcode:S12 medosu:S10 qty:N9 price:N9 cheqty:N9 cheprice:N9 ordrem:N9 cfmqty:N9 status:S20
  orgordno:N10 ordgb:S20 ordtime:S8 ordermtd:S10 sysprocseq:N10 hogagb:S2 price1:N8 orggb:S2 singb:S2 loandt:S8
  exchname:S3
CSPAQ12200InBlock1: BalCreTp:S1
CSPAQ12200OutBlock1: RecCnt:N5 MgmtBrnNo:S3 AcntNo:S20 Pwd:S8 BalCreTp:S1
CSPAQ12200OutBlock2: RecCnt:N5 BrnNm:S40 AcntNm:S40 MnyOrdAbleAmt:N16 MnyoutAbleAmt:N16 SeOrdAbleAmt:N16
  KdqOrdAbleAmt:N16 BalEvalAmt:N16 RcvblAmt:N16 DpsastTotamt:N16 PnlRat:D18.6 InvstOrgAmt:N20 InvstPlAmt:N16
  CrdtPldgOrdAmt:N16 Dps:N16 SubstAmt:N16 D1Dps:N16 D2Dps:N16 MnyrclAmt:N16 MgnMny:N16 MgnSubst:N16 ChckAmt:N16
  SubstOrdAbleAmt:N16 MgnRat100pctOrdAbleAmt:N16 MgnRat35ordAbleAmt:N16 MgnRat50ordAbleAmt:N16 PrdaySellAdjstAmt:N16
  PrdayBuyAdjstAmt:N16 CrdaySellAdjstAmt:N16 CrdayBuyAdjstAmt:N16 D1ovdRepayRqrdAmt:N16 D2ovdRepayRqrdAmt:N16
  D1PrsmptWthdwAbleAmt:N16 D2PrsmptWthdwAbleAmt:N16 DpspdgLoanAmt:N16 Imreq:N16 MloanAmt:N16 ChgAfPldgRat:D9.3
  OrgPldgAmt:N16 SubPldgAmt:N16 RqrdPldgAmt:N16 OrgPdlckAmt:N16 PdlckAmt:N16 AddPldgMny:N16 D1OrdAbleAmt:N16
  CrdtIntdltAmt:N16 EtclndAmt:N16 NtdayPrsmptCvrgAmt:N16 OrgPldgSumAmt:N16 CrdtOrdAbleAmt:N16 SubPldgSumAmt:N16
  CrdtPldgAmtMny:N16 CrdtPldgSubstAmt:N16 AddCrdtPldgMny:N16 CrdtPldgRuseAmt:N16 AddCrdtPldgSubst:N16
  CslLoanAmtdt1:N16 DpslRestrcAmt:N16
CSPAQ12300InBlock1: BalCreTp:S1 CmsnAppTpCode:S1 D2balBaseQryTp:S1 UprcTpCode:S1
CSPAQ12300OutBlock1: RecCnt:N5 AcntNo:S20 Pwd:S8 BalCreTp:S1 CmsnAppTpCode:S1 D2balBaseQryTp:S1 UprcTpCode:S1
CSPAQ12300OutBlock2: RecCnt:N5 BrnNm:S40 AcntNm:S40 MnyOrdAbleAmt:N16 MnyoutAbleAmt:N16 SeOrdAbleAmt:N16
  KdqOrdAbleAmt:N16 HtsOrdAbleAmt:N16 MgnRat100pctOrdAbleAmt:N16 BalEvalAmt:N16 PchsAmt:N16 RcvblAmt:N16 PnlRat:D18.6
  InvstOrgAmt:N20 InvstPlAmt:N16 CrdtPldgOrdAmt:N16 Dps:N16 D1Dps:N16 D2Dps:N16 OrdDt:S8 MnyMgn:N16 SubstMgn:N16
  SubstAmt:N16 PrdayBuyExecAmt:N16 PrdaySellExecAmt:N16 CrdayBuyExecAmt:N16 CrdaySellExecAmt:N16 EvalPnlSum:N15
  DpsastTotamt:N16 Evrprc:N19 RuseAmt:N16 EtclndAmt:N16 PrcAdjstAmt:N16 D1CmsnAmt:N16 D2CmsnAmt:N16 D1EvrTax:N16
  D2EvrTax:N16 D1SettPrergAmt:N16 D2SettPrergAmt:N16 PrdayKseMnyMgn:N16 PrdayKseSubstMgn:N16 PrdayKseCrdtMnyMgn:N16
  PrdayKseCrdtSubstMgn:N16 CrdayKseMnyMgn:N16 CrdayKseSubstMgn:N16 CrdayKseCrdtMnyMgn:N16 CrdayKseCrdtSubstMgn:N16
  PrdayKdqMnyMgn:N16 PrdayKdqSubstMgn:N16 PrdayKdqCrdtMnyMgn:N16 PrdayKdqCrdtSubstMgn:N16 CrdayKdqMnyMgn:N16
  CrdayKdqSubstMgn:N16 CrdayKdqCrdtMnyMgn:N16 CrdayKdqCrdtSubstMgn:N16 PrdayFrbrdMnyMgn:N16 PrdayFrbrdSubstMgn:N16
  CrdayFrbrdMnyMgn:N16 CrdayFrbrdSubstMgn:N16 PrdayCrbmkMnyMgn:N16 PrdayCrbmkSubstMgn:N16 CrdayCrbmkMnyMgn:N16
  CrdayCrbmkSubstMgn:N16 DpspdgQty:N16 BuyAdjstAmtD2:N16 SellAdjstAmtD2:N16 RepayRqrdAmtD1:N16 RepayRqrdAmtD2:N16
  LoanAmt:N16
CSPAQ12300OutBlock3: IsuNo:S12 IsuNm:S40 SecBalPtnCode:S2 SecBalPtnNm:S40 BalQty:N16 BnsBaseBalQty:N16
  CrdayBuyExecQty:N16 CrdaySellExecQty:N16 SellPrc:D21.4 BuyPrc:D21.4 SellPnlAmt:N16 PnlRat:D18.6 NowPrc:D15.2
  CrdtAmt:N16 DueDt:S8 PrdaySellExecPrc:D13.2 PrdaySellQty:N16 PrdayBuyExecPrc:D13.2 PrdayBuyQty:N16 LoanDt:S8
  AvrUprc:D13.2 SellAbleQty:N16 SellOrdQty:N16 CrdayBuyExecAmt:N16 CrdaySellExecAmt:N16 PrdayBuyExecAmt:N16
  PrdaySellExecAmt:N16 BalEvalAmt:N16 EvalPnl:N16 MnyOrdAbleAmt:N16 OrdAbleAmt:N16 SellUnercQty:N16 SellUnsttQty:N16
  BuyUnercQty:N16 BuyUnsttQty:N16 UnsttQty:N16 UnercQty:N16 PrdayCprc:D15.2 PchsAmt:N16 RegMktCode:S2
  LoanDtlClssCode:S2 DpspdgLoanQty:N16
CSPAQ13700InBlock1: OrdMktCode:S2 BnsTpCode:S1 IsuNo:S12 ExecYn:S1 OrdDt:S8 SrtOrdNo2:N10 BkseqTpCode:S1 OrdPtnCode:S2
CSPAQ13700OutBlock1: RecCnt:N5 AcntNo:S20 InptPwd:S8 OrdMktCode:S2 BnsTpCode:S1 IsuNo:S12 ExecYn:S1 OrdDt:S8
  SrtOrdNo2:N10 BkseqTpCode:S1 OrdPtnCode:S2
CSPAQ13700OutBlock2: RecCnt:N5 SellExecAmt:N16 BuyExecAmt:N16 SellExecQty:N16 BuyExecQty:N16 SellOrdQty:N16
  BuyOrdQty:N16
CSPAQ13700OutBlock3: OrdDt:S8 MgmtBrnNo:S3 OrdMktCode:S2 OrdNo:N10 OrgOrdNo:N10 IsuNo:S12 IsuNm:S40 BnsTpCode:S1
  BnsTpNm:S10 OrdPtnCode:S2 OrdPtnNm:S40 OrdTrxPtnCode:N9 OrdTrxPtnNm:S50 MrcTpCode:S1 MrcTpNm:S10 MrcQty:N16
  MrcAbleQty:N16 OrdQty:N16 OrdPrc:D15.2 ExecQty:N16 ExecPrc:D15.2 ExecTrxTime:S9 LastExecTime:S9 OrdprcPtnCode:S2
  OrdprcPtnNm:S40 OrdCndiTpCode:S1 AllExecQty:N16 RegCommdaCode:S2 CommdaNm:S40 MbrNo:S3 RsvOrdYn:S1 LoanDt:S8
  OrdTime:S9 OpDrtnNo:S12 OdrrId:S16
CSPBQ00200InBlock1: BnsTpCode:S1 IsuNo:S12 OrdPrc:D15.2
CSPBQ00200OutBlock1: RecCnt:N5 BnsTpCode:S1 AcntNo:S20 InptPwd:S8 IsuNo:S12 OrdPrc:D15.2 RegCommdaCode:S2
CSPBQ00200OutBlock2: RecCnt:N5 AcntNm:S40 IsuNm:S40 Dps:N16 SubstAmt:N16 CrdtPldgRuseAmt:N16 MnyOrdAbleAmt:N16
  SubstOrdAbleAmt:N16 MnyMgn:N16 SubstMgn:N16 SeOrdAbleAmt:N16 KdqOrdAbleAmt:N16 PrsmptDpsD1:N16 PrsmptDpsD2:N16
  MnyoutAbleAmt:N16 RcvblAmt:N16 CmsnRat:D15.5 AddLevyAmt:N16 RuseObjAmt:N16 MnyRuseObjAmt:N16 FirmMgnRat:D7.4
  SubstRuseObjAmt:N16 IsuMgnRat:D7.4 AcntMgnRat:D7.4 TrdMgnrt:D7.4 Cmsn:N16 MgnRat20pctOrdAbleAmt:N16
  MgnRat20OrdAbleQty:N16 MgnRat30pctOrdAbleAmt:N16 MgnRat30OrdAbleQty:N16 MgnRat40pctOrdAbleAmt:N16
  MgnRat40OrdAbleQty:N16 MgnRat100pctOrdAbleAmt:N16 MgnRat100OrdAbleQty:N16 MgnRat100MnyOrdAbleAmt:N16
  MgnRat100MnyOrdAbleQty:N16 MgnRat20pctRuseAbleAmt:N16 MgnRat30pctRuseAbleAmt:N16 MgnRat40pctRuseAbleAmt:N16
  MgnRat100pctRuseAbleAmt:N16 OrdAbleQty:N16 OrdAbleAmt:N16
FOCCQ33600InBlock1: QrySrtDt:S8 QryEndDt:S8 TermTp:S1
FOCCQ33600OutBlock1: RecCnt:N5 AcntNo:S20 Pwd:S8 QrySrtDt:S8 QryEndDt:S8 TermTp:S1
FOCCQ33600OutBlock2: RecCnt:N5 AcntNm:S40 BnsctrAmt:N16 MnyinAmt:N16 MnyoutAmt:N16 InvstAvrbalPramt:N16 InvstPlAmt:N16
  InvstErnrat:D9.2
FOCCQ33600OutBlock3: BaseDt:S8 FdEvalAmt:N19 EotEvalAmt:N19 InvstAvrbalPramt:N16 BnsctrAmt:N16 MnyinSecinAmt:N16
  MnyoutSecoutAmt:N16 EvalPnlAmt:N16 TermErnrat:D11.3 Idx:D13.2
"""
