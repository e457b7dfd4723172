"""Field tables of the Korean order and account TRs (ls.md §3.5, §3.6).

S string, N integer, D decimal, each with its length; `name1..10` stands for ten keys. Read through blocks.py only.
CSPAQ22200OutBlock1 has the account as the maintainer's published output shows it, not as the table lists it.
"""

TABLES = """
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
CSPAQ22200InBlock1: BalCreTp:S1
CSPAQ22200OutBlock1: RecCnt:N5 MgmtBrnNo:S3 AcntNo:S20 Pwd:S8 BalCreTp:S1
CSPAQ22200OutBlock2: RecCnt:N5 BrnNm:S40 AcntNm:S40 MnyOrdAbleAmt:N16 SubstOrdAbleAmt:N16 SeOrdAbleAmt:N16
  KdqOrdAbleAmt:N16 CrdtPldgOrdAmt:N16 MgnRat100pctOrdAbleAmt:N16 MgnRat35ordAbleAmt:N16 MgnRat50ordAbleAmt:N16
  CrdtOrdAbleAmt:N16 Dps:N16 SubstAmt:N16 MgnMny:N16 MgnSubst:N16 D1Dps:N16 D2Dps:N16 RcvblAmt:N16
  D1ovdRepayRqrdAmt:N16 D2ovdRepayRqrdAmt:N16 MloanAmt:N16 ChgAfPldgRat:D9.3 RqrdPldgAmt:N16 PdlckAmt:N16
  OrgPldgSumAmt:N16 SubPldgSumAmt:N16 CrdtPldgAmtMny:N16 CrdtPldgSubstAmt:N16 Imreq:N16 CrdtPldgRuseAmt:N16
  DpslRestrcAmt:N16 PrdaySellAdjstAmt:N16 PrdayBuyAdjstAmt:N16 CrdaySellAdjstAmt:N16 CrdayBuyAdjstAmt:N16
  CslLoanAmtdt1:N16
t0150InBlock: cts_medosu:S1 cts_expcode:S12 cts_price:S9 cts_middiv:S2
t0150OutBlock: mdqty:N9 mdamt:N18 mdfee:N18 mdtax:N18 mdargtax:N18 tmdtax:N18 mdadjamt:N18 msqty:N9 msamt:N18
  msfee:N18 tmstax:N18 msadjamt:N18 tqty:N9 tamt:N18 tfee:N18 tottax:N18 targtax:N18 ttax:N18 tadjamt:N18
  cts_medosu:S1 cts_expcode:S12 cts_price:S9 cts_middiv:S2
t0150OutBlock1: medosu:S10 expcode:S12 qty:N9 price:N9 amt:N18 fee:N18 tax:N18 argtax:N18 adjamt:N18 middiv:S20
t0151InBlock: date:S8 cts_medosu:S1 cts_expcode:S12 cts_price:S9 cts_middiv:S2
t0151OutBlock: mdqty:N9 mdamt:N18 mdfee:N18 mdtax:N18 mdargtax:N18 tmdtax:N18 mdadjamt:N18 msqty:N9 msamt:N18
  msfee:N18 tmstax:N18 msadjamt:N18 tqty:N9 tamt:N18 tfee:N18 tottax:N18 targtax:N18 ttax:N18 tadjamt:N18
  cts_medosu:S1 cts_expcode:S12 cts_price:S9 cts_middiv:S2
t0151OutBlock1: medosu:S10 expcode:S12 qty:N9 price:N9 amt:N18 fee:N18 tax:N18 argtax:N18 adjamt:N18 middiv:S20
"""
